"""Whatever is changed after a run was registered is named, and gives no clean verdict.

Real trials, small ones: how well an agent learns does not matter here.
"""

import json
import shutil
from pathlib import Path

import pytest

import sandbox as lab
from sandbox import api, sources
from sandbox.catalogue import catalogue
from sandbox.errors import InputError, IntegrityError
from sandbox.execution import manifest
from sandbox.execution.verify import verify

SCENARIO = """\
schema: 1
name: small
question: Does a larger step size change the return of a tabular learner?
envs: [{id: sandbox/RocksDiamonds-v0, kwargs: {level: 1}}]
agent:
  learner: {tabular: {total_steps: 600}}
  architecture: {trunk: []}
arms:
  slow: {learner: {tabular: {step_size: 0.001}}}
  fast: {learner: {tabular: {step_size: 0.5}}}
seeds: 5
metrics: [mean_return]
claims:
  - {metric: mean_return, effect_of: arm, direction: higher, smallest_effect: 1.0e-9}
"""


def quiet(_):
    pass


def again(folder: Path, text: str = SCENARIO, **options) -> lab.Experiment:
    """Run a scenario into this folder, as ``sandbox run --out`` does."""
    path = folder.parent / f"{folder.name}.yaml"
    path.write_text(text)
    return lab.run(path, folder, 2, progress=quiet, announce=quiet, **options)


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("registered") / "first"
    again(folder)
    return folder


@pytest.fixture
def run(first, tmp_path) -> Path:
    return Path(shutil.copytree(first, tmp_path / "run"))


def verdict(experiment):
    (judged,) = experiment.verdicts
    return judged.verdict


def report(folder):
    return (folder / "report.html").read_text()


def lines(folder):
    return (folder / "registration.jsonl").read_text().splitlines()


def test_the_same_command_again_changes_nothing_and_stays_a_test(run):
    before, clean = lines(run), verdict(lab.load(run))

    assert verdict(again(run)) == clean
    assert lines(run) == before
    assert clean.status in {"supported", "refuted", "undetermined"}
    assert "exploratory" not in clean.title
    assert "Registered 20" in report(run)
    assert "before any trial" in report(run)
    assert verify(run).notes == ()


def test_another_commit_without_changed_sources_goes_on_without_a_word(run, monkeypatch):
    monkeypatch.setattr(manifest, "_git", lambda *_: "f" * 40)
    before = lines(run)
    shutil.rmtree(next((run / "trials").iterdir()))

    assert "exploratory" not in verdict(again(run)).title
    assert lines(run) == before


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("direction: higher", "direction: lower", "claims.1.direction: higher → lower"),
        ("1.0e-9", "2.0e-9", "claims.1.smallest_effect: 1e-09 → 2e-09"),
        ("Does a larger", "Does a smaller", "question: "),
        ("seeds: 5", "seeds: 4", "seeds: [0, 1, 2, 3, 4] → [0, 1, 2, 3]"),
    ],
)
def test_a_changed_claim_is_a_revision_and_exploratory(run, old, new, what):
    judged = verdict(again(run, SCENARIO.replace(old, new)))

    assert judged.status in {"suggestive", "undetermined"}
    assert judged.kind.startswith("exploratory")
    assert "after" in judged.reason
    (revision,) = lab.load(run).record.registration.revisions
    assert (revision.number, revision.begun, revision.finished) == (1, 10, 10)
    assert what in str(revision)
    assert "revision 1 of " in report(run)
    assert any(what in each for each in verify(run).notes)


def test_a_claim_that_is_put_back_is_the_registered_one_again(run):
    clean = verdict(lab.load(run))
    again(run, SCENARIO.replace("higher", "lower"))
    restored = verdict(again(run))

    assert restored.title == clean.title
    assert len(lab.load(run).record.registration.revisions) == 2
    assert "revision 2 of " in report(run)


def test_a_claim_dropped_later_frees_no_alpha(first, tmp_path):
    two = SCENARIO + SCENARIO.splitlines()[-1].replace("higher", "lower") + "\n"
    folder = tmp_path / "two"
    assert {each.verdict.alpha for each in again(folder, two).verdicts} == {0.005}

    (left,) = again(folder, SCENARIO).verdicts
    assert left.verdict.alpha == 0.005
    assert "exploratory" not in left.verdict.title


def test_more_seeds_than_registered_are_exploratory(run):
    experiment = again(run, seeds=6)

    assert len(experiment.rows) == 12
    assert verdict(experiment).kind.startswith("exploratory")
    assert "seeds: [0, 1, 2, 3, 4] → [0, 1, 2, 3, 4, 5]" in report(run)


def test_a_changed_arm_is_another_scenario(run):
    """It once gave the old arm's effect under the new arm's name."""
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=r"arms\.fast\.learner\.tabular\.step_size"):
        again(run, SCENARIO.replace("0.5}", "0.002}"))
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_an_edited_resolved_scenario_is_found_and_decides_nothing(run):
    """The registration, not the file beside it, says what is judged."""
    path = run / "resolved.json"
    path.write_text(path.read_text().replace('"higher"', '"lower"'))

    with pytest.raises(IntegrityError, match=r"resolved.json: error: not what registration.jsonl"):
        verify(run)
    with pytest.raises(IntegrityError, match=r"resolved.json"):
        again(run)
    (judged,) = lab.load(run).verdicts
    assert judged.direction == "higher"
    assert judged.verdict.status == "invalid"
    assert "resolved.json" in judged.verdict.reason


def test_a_deleted_trial_is_named_and_runs_again_to_the_same_bytes(run):
    clean = verdict(lab.load(run))
    gone = min((run / "trials").iterdir()).name
    shutil.rmtree(run / "trials" / gone)

    with pytest.raises(
        IntegrityError, match=f"{gone}: error: this trial had ended and was deleted"
    ):
        verify(run)
    early = verdict(lab.load(run))
    assert early.status == "pending"
    assert early.reason.startswith("no verdict before n = 5")
    assert f"trial {gone} had ended and was deleted" in early.notes
    assert verdict(again(run)).title == clean.title


def test_a_trial_that_gave_something_else_the_second_time_is_exploratory(run):
    path = next((run / "trials").glob("*/status.json"))
    status = json.loads(path.read_text())
    other = api.RunFolder(run)
    spec = json.loads(path.with_name("spec.json").read_text())
    events = path.with_name("events.jsonl").read_text().splitlines()
    with other.trial(path.parent.name, spec) as trial:
        for line in [*events[:-2], events[-1]]:  # one line fewer than before
            trial.event(line)
        trial.finish({"state": "done", "reason": "", "steps": status["steps"]}, "")

    judged = verdict(lab.load(run))
    assert judged.kind.startswith("exploratory")
    assert "was run more than once, with different results" in judged.reason


METRIC = '''
from typing import ClassVar
from sandbox import Measurement, Metric

class Mine(Metric):
    """Mean of nothing."""

    unit: ClassVar[str] = "x"
    direction: ClassVar[str] = "higher"
    range: ClassVar[tuple[float, float]] = (float("-inf"), float("inf"))

    def compute(self, events):
        return Measurement({factor} * len([*events]) + events[0].seed, 1)

def register(catalogue):
    catalogue.add("metrics", "mine", "my_metric:Mine")
'''


@pytest.fixture
def plugged(tmp_path, monkeypatch):
    """A plug-in's metric, whose source the test may change."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    known = catalogue()
    monkeypatch.setattr(known, "modules", set(known.modules))
    monkeypatch.setattr(known, "plugged", dict(known.plugged))
    path = tmp_path / "my_metric.py"
    path.write_text(METRIC.replace("{factor}", "1"))
    return path


def test_a_changed_plug_in_is_named_and_its_trials_are_not_pooled(plugged, tmp_path):
    text = SCENARIO.replace("[mean_return]", "[mine]").replace(
        "metric: mean_return", "metric: mine"
    )
    folder = tmp_path / "plugged"
    again(folder, text, plugins=["my_metric"])
    assert "exploratory" not in verdict(lab.load(folder)).title
    plugged.write_text(METRIC.replace("{factor}", "-1"))

    judged = verdict(again(folder, text, plugins=["my_metric"]))
    assert judged.kind.startswith("exploratory")
    assert "other code than was registered: my_metric:my_metric.py" in judged.reason
    assert any("my_metric.py" in each for each in verify(folder).notes)

    shutil.rmtree(next((folder / "trials").iterdir()))
    with pytest.raises(InputError, match=r"source of my_metric:my_metric.py changed; trials of"):
        again(folder, text, plugins=["my_metric"])
    accepted = verdict(again(folder, text, plugins=["my_metric"], accept_changed_code=True))
    assert accepted.kind.startswith("exploratory")
    assert "1 trial ran with other code" in accepted.reason
    assert "source of my_metric:my_metric.py changed" in report(folder)


def test_trials_of_another_version_are_not_pooled(run, monkeypatch):
    real = sources._version
    monkeypatch.setattr(sources, "_version", lambda x: "9.9" if x == "torch" else real(x))
    shutil.rmtree(next((run / "trials").iterdir()))

    with pytest.raises(InputError, match=r"torch .* → 9\.9; trials of both cannot be pooled"):
        again(run)
    accepted = verdict(again(run, accept_changed_code=True))
    assert accepted.kind.startswith("exploratory")
    assert "→ 9.9" in accepted.reason


@pytest.mark.parametrize("module", ["sandbox.metrics.mean_return", "sandbox.verdicts.verdict"])
def test_a_changed_metric_or_rule_judges_nothing_as_registered(run, monkeypatch, module):
    real = sources._digest
    monkeypatch.setattr(sources, "_digest", lambda name: "0" if name == module else real(name))

    judged = verdict(again(run))
    assert judged.kind.startswith("exploratory")
    assert f"judged with other code than was registered: {module}" in judged.reason
    shutil.rmtree(next((run / "trials").iterdir()))
    with pytest.raises(InputError, match=f"source of {module} changed"):
        again(run)


def test_a_run_that_was_looked_at_and_cut_short_has_begun(run, tmp_path):
    """No trial had ended, and all of them were deleted: their curves may have been seen."""
    text = SCENARIO.replace("higher", "lower")
    early = tmp_path / "early"
    lab.register(_written(early, SCENARIO), early)
    writer = api.RunFolder(early)
    writer.begin({})
    for home in sorted((run / "trials").iterdir())[:2]:
        with writer.trial(home.name, json.loads((home / "spec.json").read_text())):
            pass
    shutil.rmtree(early / "trials")
    (early / "trials").mkdir()

    assert verdict(again(early, text)).kind.startswith("exploratory")


def _written(folder, text):
    path = folder.parent / f"{folder.name}.yaml"
    path.write_text(text)
    return path


def test_source_that_changes_while_trials_run_is_named(tmp_path, monkeypatch):
    calls, real = [], sources.changed

    def changing(code):
        calls.append(1)
        return ["envs.worlds.rocks_diamonds"] if 4 < len(calls) < 9 else real(code)

    monkeypatch.setattr(sources, "changed", changing)
    judged = verdict(again(tmp_path / "edited"))
    assert judged.kind.startswith("exploratory")
    assert "sources were changed while" in judged.reason
    assert "envs.worlds.rocks_diamonds" in judged.reason


def test_a_plug_in_that_was_not_registered_may_not_judge(run, plugged):
    plugged.write_text("def register(catalogue):\n    pass\n")
    judged = verdict(again(run, plugins=["my_metric"]))
    assert judged.kind.startswith("exploratory")
    assert judged.reason.endswith("run with a plug-in that was not registered: my_metric")
    assert "exploratory" not in verdict(again(run)).title


def test_a_trial_that_was_complete_and_then_fails_is_exploratory(run):
    shutil.rmtree(min((run / "trials").iterdir()))
    experiment = again(run, SCENARIO + "limits: {timeout_s: 0.001}\n")
    assert len(experiment.failed) == 1
    judged = verdict(experiment)
    assert judged.status == "invalid" or judged.kind.startswith("exploratory")


def test_an_arm_that_comes_back_must_be_the_one_that_left(run):
    alone = SCENARIO.replace("  fast: {learner: {tabular: {step_size: 0.5}}}\n", "")
    again(run, alone.partition("claims")[0])
    with pytest.raises(InputError, match=r"arms\.fast\.learner"):
        again(run, SCENARIO.replace("0.5}", "0.9}"))


def test_an_added_claim_takes_nothing_from_the_registered_one(run):
    more = SCENARIO + SCENARIO.splitlines()[-1].replace("higher", "lower") + "\n"
    first, added = again(run, more).verdicts
    assert first.verdict.alpha == 0.01
    assert "exploratory" not in first.verdict.title
    assert added.verdict.kind.startswith("exploratory")
    assert added.verdict.alpha == 0.005
    assert "after 10 trials had begun" in added.verdict.reason


def test_before_any_trial_everything_may_be_corrected(tmp_path):
    lab.register(_written(tmp_path / "run", SCENARIO), tmp_path / "run")
    other = _written(tmp_path / "run", SCENARIO.replace("600", "700"))
    assert len(lab.register(other, tmp_path / "run").entries) == 2


def test_a_registration_cut_short_before_its_first_line_is_written_anew(tmp_path):
    folder = tmp_path / "run"
    (folder / "trials").mkdir(parents=True)
    (folder / "registration.jsonl").write_text('{"code":')
    assert len(lab.register(_written(folder, SCENARIO), folder).entries) == 1


def test_changed_training_code_is_named_and_finished_trials_stand(run, monkeypatch):
    real, module = sources._digest, "agents.algorithms.tabular"
    monkeypatch.setattr(sources, "_digest", lambda name: "0" if name == module else real(name))

    judged = verdict(again(run))
    assert "exploratory" not in judged.title
    assert f"the trials ran with other code than is here now: {module}" in judged.notes


def test_registering_comes_first_and_may_be_revised_until_a_trial_runs(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(SCENARIO)
    found = lab.register(path, tmp_path / "run")
    assert not [*(tmp_path / "run" / "trials").iterdir()]
    assert lab.register(path, tmp_path / "run") == found
    path.write_text(SCENARIO.replace("higher", "lower"))
    revised = lab.register(path, tmp_path / "run")

    assert len(revised.entries) == 2
    assert revised.before_data == revised.last
    assert revised.before_data.hash != found.last.hash
    judged = verdict(lab.load(tmp_path / "run"))
    assert judged.reason == "no verdict before n = 5: 0 of 5 seeds have ended"
    assert verify(tmp_path / "run", head=found.last.hash).registration == revised.last.hash
    with pytest.raises(IntegrityError, match="no line of registration or manifest has hash 000"):
        verify(tmp_path / "run", head="0" * 64)


def test_a_decided_interim_analysis_ends_the_run_early(tmp_path):
    text = SCENARIO.replace("seeds: 5", "seeds: 10\nlooks: [9, 10]")
    text = text.replace("{step_size: 0.001}", "{exploration_start: 1.0, exploration_end: 1.0}")
    text = text.replace("{step_size: 0.5}", "{exploration_start: 0.0, exploration_end: 0.0}")
    text = text.replace("RocksDiamonds-v0, kwargs: {level: 1}", "BoatRace-v0")
    text = text.replace("1.0e-9", "1.0e-9, alpha: 0.05")
    experiment = again(tmp_path / "looks", text)

    assert {row["seed"] for row in experiment.rows} == set(range(9))
    assert verdict(experiment).status == "supported"
    assert verdict(experiment).n == 9
    assert verdict(experiment).alpha == pytest.approx(0.005)
    assert len(again(tmp_path / "looks", text).rows) == 18
