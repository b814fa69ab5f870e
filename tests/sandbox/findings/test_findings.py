"""A finding holds what the run found, refuses what is no finding, and remembers what was found.

Real trials, small ones: how well an agent learns does not matter here.
"""

import json
import re
import shutil

import pytest

import sandbox as lab
from sandbox import sources
from sandbox.errors import InputError, IntegrityError
from sandbox.findings.finding import OF_THIS_MACHINE, command, finding
from sandbox.findings.folder import put, read
from sandbox.record.store import read_run

CLAIM = "  - {metric: mean_return, effect_of: arm, direction: higher, smallest_effect: 1.0e-9}\n"
SCENARIO = f"""\
schema: 1
name: small
question: Does a larger step size change the return of a tabular learner?
envs: [{{id: sandbox/RocksDiamonds-v0, kwargs: {{level: 1}}}}]
agent:
  learner: {{tabular: {{total_steps: 600}}}}
  architecture: {{trunk: []}}
arms:
  slow: {{learner: {{tabular: {{step_size: 0.001}}}}}}
  fast: {{learner: {{tabular: {{step_size: 0.5}}}}}}
seeds: 5
metrics: [mean_return]
claims:
{CLAIM}"""


def quiet(_):
    pass


def ran(folder, text=SCENARIO, **options):
    path = folder.parent / f"{folder.name}.yaml"
    path.write_text(text)
    lab.run(path, folder, 2, progress=quiet, announce=quiet, **options)
    return folder


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("found") / "first")


@pytest.fixture
def run(first, tmp_path):
    return shutil.copytree(first, tmp_path / "run")


def refused(folder):
    with pytest.raises(InputError) as error:
        finding(folder)
    return str(error.value)


def test_a_finding_holds_what_the_run_found_and_where_it_comes_from(run):
    found, own = finding(run), lab.load(run)
    (claim,), (judged,) = found["claims"], own.verdicts
    assert found["registration"] == own.record.registration.before_data.hash
    assert (found["scenario"], found["n"], found["seeds"]) == ("small", 5, {"first": 0, "last": 4})
    assert claim["claim"] == "arm slow → fast makes mean_return higher by at least 1e-09"
    assert (claim["verdict"], claim["estimate"]) == (judged.verdict.title, judged.verdict.estimate)
    assert (claim["low"], claim["high"]) == (judged.verdict.low, judged.verdict.high)
    assert (claim["confidence"], claim["n"], claim["role"]) == (0.98, 5, "claim")
    assert claim["notes"] == list(judged.verdict.notes)
    assert found["verify"]["ok"]
    assert found["verify"]["trials"] == 10
    assert {each["condition"] for each in found["conditions"]} == {"arm=slow", "arm=fast"}


def test_the_same_run_gives_the_same_bytes_wherever_it_lies(run, tmp_path):
    once = put(finding(run), folder=tmp_path / "a")[0].read_bytes()
    moved = shutil.move(run, tmp_path / "elsewhere")
    assert put(finding(moved), folder=tmp_path / "b")[0].read_bytes() == once
    assert once.endswith(b"}\n")
    text = once.decode()
    assert str(tmp_path) not in text
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_a_claim_that_something_falls_has_the_change_of_the_metric(tmp_path):
    text = SCENARIO.replace("higher", "lower").replace("seeds: 5", "seeds: 3")
    found = finding(ran(tmp_path / "fell", text))
    (claim,), (judged,) = found["claims"], lab.load(tmp_path / "fell").verdicts
    assert claim["estimate"] == -judged.verdict.estimate
    assert claim["low"] <= claim["estimate"] <= claim["high"]


def test_what_is_not_finished_has_no_finding(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SCENARIO)
    lab.register(path, tmp_path / "begun")
    assert "is unfinished: 0 of 5 seeds have ended" in refused(tmp_path / "begun")


def test_what_was_not_registered_or_claims_nothing_has_no_finding(tmp_path):
    assert "no run here" in refused(tmp_path)
    text = SCENARIO.partition("claims:")[0].replace("seeds: 5", "seeds: 2")
    assert "claims nothing" in refused(ran(tmp_path / "mute", text))


def test_a_smoke_run_has_no_finding(tmp_path):
    assert "is a smoke run" in refused(ran(tmp_path / "smoke", smoke=True))


def test_an_exploratory_run_has_no_finding(run):
    ran(run, SCENARIO.replace("higher", "lower"))
    said = refused(run)
    assert "is exploratory: claim 1: this claim was written down, or changed, after 10" in said


@pytest.mark.parametrize("module", ["sandbox.verdicts.rule", "sandbox.metrics.mean_return"])
def test_a_run_judged_by_other_code_has_no_finding(run, monkeypatch, module):
    real = sources._digest
    monkeypatch.setattr(sources, "_digest", lambda name: "0" if name == module else real(name))
    assert f"judged with other code than was registered: {module}" in refused(run)


def test_other_code_of_training_changes_no_byte(run, monkeypatch):
    clean, real = finding(run), sources._digest
    other = "agents.algorithms.tabular"
    monkeypatch.setattr(sources, "_digest", lambda name: "0" if name == other else real(name))
    assert lab.load(run).verdicts[0].verdict.notes[-1].startswith("the trials ran with other code")
    assert finding(run) == clean


def test_a_changed_record_has_no_finding(run):
    events = next(run.glob("trials/*/events.jsonl"))
    events.write_text(events.read_text() + "{}\n")
    with pytest.raises(IntegrityError, match="not the file that status\\.json holds"):
        finding(run)


def test_what_another_registration_had_found_is_kept_and_once(run, tmp_path):
    found = finding(run)
    (path,) = put(found, folder=tmp_path)
    assert read(path)["before"] == []
    put(found, folder=tmp_path)
    assert read(path)["before"] == [], "the same registration is the same finding"
    (claim,) = found["claims"]
    for number in (1, 2):
        later = {**claim, "verdict": f"verdict {number}"}
        put({**found, "registration": str(number), "claims": [later]}, folder=tmp_path)
        put({**found, "registration": str(number), "claims": [later]}, folder=tmp_path)
    old = read(path)["before"]
    assert [each["registration"] for each in old] == ["1", found["registration"]]
    assert [each["claims"][0]["verdict"] for each in old] == ["verdict 1", claim["verdict"]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "cannot be read as a finding"),
        (b"\xff", "cannot be read as a finding"),
        (b"[]", "is no finding: it lacks before, claims"),
        (b'{"format": 1}', "is no finding: it lacks before, claims"),
        (b'{"format": NaN}', "NaN is no number of JSON"),
    ],
)
def test_a_file_that_is_no_finding_is_not_overwritten(run, tmp_path, data, words):
    path = tmp_path / "small.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match=re.escape(words)):
        put(finding(run), folder=tmp_path)
    assert path.read_bytes() == data


def test_a_finding_that_was_edited_is_none(run, tmp_path):
    (path,) = put(finding(run), folder=tmp_path)
    text = path.read_text()
    assert text.count('"n": 5') > 1
    for other in (text.replace('"n": 5', '"n": 50'), text.replace('"small"', '"large"')):
        path.write_text(other)
        with pytest.raises(InputError, match="was changed after it was written"):
            read(path)
    other = path.rename(tmp_path / "large.json")
    other.write_text(text)
    with pytest.raises(InputError, match="is the finding of 'small'"):
        read(other)


def test_where_one_is_refused_none_is_written(run, tmp_path):
    (tmp_path / "bad.json").write_text("{}")
    found = finding(run)
    with pytest.raises(InputError, match="is no finding"):
        put(found, {**found, "scenario": "bad"}, folder=tmp_path)
    assert not (tmp_path / "small.json").exists()


def test_a_name_that_leads_elsewhere_is_refused(run, tmp_path):
    with pytest.raises(InputError, match="no file can be called"):
        put({**finding(run), "scenario": "../small"}, folder=tmp_path)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["sandbox", "run", "quickstart"], "sandbox run quickstart"),
        (["__main__.py", "run", "a", "--out", "/a/x", "--seeds", "9"], "sandbox run a --seeds 9"),
        (["sandbox", "run", "--workers=2", "/elsewhere/a.yaml"], "sandbox run a.yaml"),
        (["sandbox", "run", "a", "--set", "k={a: 1}"], "sandbox run a --set 'k={a: 1}'"),
        (["pytest", "x"], "sandbox.run('small', ...), arguments not recorded"),
    ],
)  # fmt: skip
def test_the_command_is_without_what_is_of_this_machine(run, monkeypatch, argv, words):
    record = read_run(run)
    entry = {"kind": "command", "argv": argv}
    assert command(record.__class__(record.folder, record.registration, (entry,), ())) == words
    assert OF_THIS_MACHINE == ("--out", "--workers")


def test_a_run_from_python_says_what_was_other_than_the_file(run, tmp_path):
    assert finding(run)["command"] == "sandbox.run('first')".replace("first", "small")
    key = "agent.learner.tabular.total_steps=300"
    found = finding(ran(tmp_path / "other", seeds=6, overrides=[key]))
    assert found["command"] == f"sandbox.run('small') with --set {key} --seeds 6"


def test_the_command_is_the_one_that_began_the_trials(run):
    record = read_run(run)
    commands = [
        {"kind": "command", "argv": ["sandbox", "run", "a", "--seeds", str(n)]} for n in (6, 7, 8)
    ]
    log = (*commands[:2], {"kind": "began"}, commands[2])
    again = record.__class__(record.folder, record.registration, log, ())
    assert command(again) == "sandbox run a --seeds 7"


def test_an_edited_finding_says_what_to_do_about_it(run, tmp_path):
    (path,) = put(finding(run), folder=tmp_path)
    path.write_text(path.read_text().replace('"n": 5', '"n": 50'))
    with pytest.raises(InputError, match="restore it from git; or delete it"):
        put(finding(run), folder=tmp_path)
