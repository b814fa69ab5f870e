"""Arms by name and envs with something of their own: from YAML to trials, effects and report."""

import json
import textwrap

import numpy as np
import pytest

from agents.genome import EditorGene, Genome
from sandbox import words
from sandbox.analysis import arm_comparison, effects
from sandbox.errors import InputError
from sandbox.record import events
from sandbox.record.store import read_run
from sandbox.report import build
from sandbox.scenario import load as scenario
from sandbox.scenario import trials
from sandbox.words import condition_name
from tests.sandbox.synthetic_run import record_ends, register

ARMS = """
    schema: 1
    name: arms
    question: Who wins?
    envs:
      - {id: sandbox/CoinGrid-v0, kwargs: {size: 5}, name: plain}
      - id: sandbox/CoinGrid-v0
        kwargs: {size: 5}
        name: shifting
        controls: {shift: {intensity: 1, start: 0.5, to: shifted}}
      - {id: sandbox/CoinGrid-v0, kwargs: {size: 5}, name: cut, gate: {budget_shocks: [{at: 0.5, factor: 0.25}]}}
    agent: {learner: {ppo: {num_envs: 8, total_steps: 4096}}, architecture: {trunk: [8]}}
    gate: {max_flops: 1.0e+7}
    arms:
      fixed: {}
      hasty: {learner: {ppo: {learning_rate: 0.01}}, gate: {max_edits: 2}}
      gambler: {editor: {bandit: {every_updates: 2}}, architecture: {trunk: [4, 4]}}
    seeds: 2
    metrics: [mean_return]
"""  # noqa: E501


@pytest.fixture
def load(tmp_path):
    def loaded(text=ARMS, **options):
        file = tmp_path / "arms.yaml"
        file.write_text(textwrap.dedent(text))
        return scenario.load(file, **options)

    return loaded


def test_arms_are_doses_in_the_order_in_which_they_are_written(load):
    found = load()

    assert found.levers == {"arm": ("fixed", "hasty", "gambler")}
    assert trials.count(found) == len(trials.expand(found)) == 3 * 3 * 2


def test_each_arm_has_its_own_parts_and_the_rest_of_the_agent(load):
    specs = {
        each.spec["condition"]["arm"]: each.spec
        for each in trials.expand(load())
        if each.spec["env"]["name"] == "plain"
    }

    assert specs["hasty"]["learner"]["ppo"]["learning_rate"] == 0.01
    assert specs["hasty"]["learner"]["ppo"]["num_envs"] == 8
    assert specs["hasty"]["gate"] == {**specs["fixed"]["gate"], "max_edits": 2}
    assert specs["gambler"]["editor"]["bandit"]["every_updates"] == 2
    assert [each["units"] for each in specs["gambler"]["architecture"]["layers"]] == [4, 4]
    assert {k for k in specs["fixed"] if specs["fixed"][k] != specs["gambler"][k]} == {
        "architecture",
        "condition",
        "editor",
    }
    assert all("arms" not in each for each in specs.values())
    assert condition_name(specs["gambler"]["condition"]) == "arm=gambler"


def test_what_is_an_envs_own_reaches_its_trials_alone(load):
    found = {each.spec["env"]["name"]: each.spec for each in trials.expand(load())}

    assert found["plain"]["controls"] == found["cut"]["controls"] == {}
    assert found["shifting"]["controls"]["shift"]["intensity"] == 1
    assert "budget_shocks" not in found["plain"]["gate"]
    assert found["cut"]["gate"]["budget_shocks"] == [{"at": 0.5, "factor": 0.25}]
    assert found["cut"]["gate"]["max_flops"] == 1e7


def test_a_name_is_no_part_of_what_a_trial_is_and_an_arm_no_part_of_another(load):
    named = {each.id for each in trials.expand(load())}
    renamed = {each.id for each in trials.expand(load(ARMS.replace("name: cut", "name: thrifty")))}
    others = {each.id for each in trials.expand(load(ARMS.replace("0.01", "0.02")))}

    assert named == renamed
    assert len(named & others) == len(named) * 2 // 3


def test_a_scenario_without_arms_is_what_it_was(load):
    text = ARMS.replace("arms:\n", "limits: {}\n    levers: {placebo: [0]}\n    xarms:\n")
    plain = "\n".join(
        line for line in textwrap.dedent(text).splitlines()
        if not line.startswith(("xarms", "  fixed", "  hasty", "  gambler"))
    )  # fmt: skip
    found = load(plain)

    assert "arms" not in found.resolved()
    assert set(trials.expand(found)[0].spec["gate"]) == {
        "max_parameters",
        "max_flops",
        "max_edits",
        "protect",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("fixed: {}", "agent: {}"), "give the arm another name"),
        (("editor: {bandit", "editor: {bandti"), "did you mean 'bandit'?"),
        (("learning_rate: 0.01", "learning_rte: 0.01"), "did you mean 'learning_rate'?"),
        (("gambler: {", "gambler: {leaner: {}, "), "unknown key 'leaner' in arms.gambler"),
        (("trunk: [4, 4]", "trunk: [0]"), "trunk.0: must be at least 1"),
        (("seeds: 2", "levers: {arm: [fixed, hosty]}"), "did you mean 'hasty'?"),
        (("seeds: 2", "levers: {arm: [0, 1]}"), "levers.arm.0: must be a name (got 0)"),
        (("seeds: 2", "levers: {placebo: [a]}"), "levers.placebo.0: must be a number (got 'a')"),
        (("name: shifting", "name: plain"), "several envs are called 'plain'"),
        (("factor: 0.25}]", "factor: 0.25}, {at: 0.9, factor: 2}]"), "at 0.9 never comes"),
        (("gate: {max_flops: 1.0e+7}", "gate: {}"), "budget_shocks change max_flops"),
        (("editor: {bandit: {every_updates: 2}}", "editor: random_search"), ""),
        (("size: 5}, name: plain", "size: 5}"), ""),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(load, change, said):
    changed = ARMS.replace(*change)
    assert changed != ARMS
    if not said:
        load(changed)
        return
    with pytest.raises(
        InputError, match=said.replace("?", r"\?").replace("(", r"\(").replace(")", r"\)")
    ):
        load(changed)


def test_an_editor_that_divides_a_budget_needs_one(load):
    text = ARMS.replace("editor: {bandit: {every_updates: 2}}", "editor: random_search")
    text = text.replace("gate: {max_flops: 1.0e+7}", "gate: {}").replace(
        ", gate: {budget_shocks: [{at: 0.5, factor: 0.25}]}", ""
    )
    with pytest.raises(InputError, match="divides a budget of FLOPs"):
        load(text)
    assert load(text.replace("random_search,", "{random_search: {try_updates: 4}},"))


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("dose: gambler, env: cut", None),
        ("dose: gamble", "at hasty, gambler, not gamble"),
        ("dose: fixed", "at hasty, gambler, not fixed"),
        ("env: cute", "did you mean 'cut'?"),
    ],
)
def test_a_claim_may_name_an_arm_and_an_env(load, claim, said):
    parts = "metric: mean_return, effect_of: arm, direction: higher, smallest_effect: 0.1"
    text = ARMS + f"    claims: {{{parts}, {claim}}}\n"
    if said is None:
        assert load(text).claims[0]["dose"] == "gambler"
        return
    with pytest.raises(InputError) as error:
        load(text)
    assert said in str(error.value)


def test_a_smoke_run_shrinks_budgets_with_steps(load):
    whole, small = load(), load(smoke=True)

    share = small.agent["learner"]["ppo"]["total_steps"] / 4096
    assert 0 < share < 1
    assert small.gate["max_flops"] == whole.gate["max_flops"] * share
    assert small.arms["hasty"]["learner"]["ppo"]["total_steps"] == share * 4096


# --- what is made of the results ---------------------------------------------------------------


GAINS = {
    ("plain", "hasty"): 0.0,
    ("plain", "gambler"): 0.5,
    ("shifting", "hasty"): -0.5,
    ("shifting", "gambler"): 0.0,
    ("cut", "hasty"): 0.0,
    ("cut", "gambler"): 0.0,
}


@pytest.fixture
def run(load, tmp_path):
    """A run in which every arm gets what ``GAINS`` says over the first, with noise by seed."""
    text = ARMS.replace("seeds: 2", "seeds: 12") + (
        "    claims:\n"
        "      - {metric: mean_return, effect_of: arm, dose: gambler, env: plain,"
        " direction: higher, smallest_effect: 0.2}\n"
        "      - {metric: mean_return, effect_of: arm, dose: hasty, env: shifting,"
        " direction: higher, smallest_effect: 0.2}\n"
    )
    found = load(text)
    folder = tmp_path / "run"
    register(folder, found.resolved())
    for each in trials.expand(found):
        events_of(folder / "trials" / each.id, each)
    record_ends(folder)
    return read_run(folder)


def events_of(folder, each):
    spec = each.spec
    env, arm, seed = spec["env"]["name"], spec["condition"]["arm"], spec["seed"]
    noise = np.random.default_rng([seed, ord(env[0]), ord(arm[0])]).random()
    reward = GAINS.get((env, arm), 0.0) + 0.4 * noise
    genomes = {"agent": Genome(editor=EditorGene.of(arm)).to_json()}
    started = events.TrialStarted(
        each.id, spec["env"]["id"], seed, spec["condition"], ("agent",), {}, genomes
    )
    probed = events.Probed("agent", "held_out", 1, 64, "in_distribution", 8, {"reward": reward})
    lines = [started, probed, events.TrialFinished(1, 64, 1.0, 0, "", "")]
    folder.mkdir()
    (folder / "spec.json").write_text(json.dumps(spec))
    (folder / "events.jsonl").write_text("".join(events.to_line(x) + "\n" for x in lines))
    (folder / "status.json").write_text(json.dumps({"state": "done"}))


def test_every_arm_is_held_against_the_first_in_every_env(run):
    found = {
        (each.env, each.dose): each.estimate
        for each in effects.effects(run)
        if each.metric == "mean_return" and each.env != "all"
    }

    assert set(found) == set(GAINS)
    assert found["plain", "gambler"] == pytest.approx(0.5, abs=0.1)
    assert found["cut", "hasty"] == pytest.approx(0.0, abs=0.1)


def test_planted_winners_and_losers_are_found_and_no_others(run):
    (found,) = arm_comparison.contests(run)
    outcomes = {(each.effect.env, each.effect.dose): each.outcome for each in found.standings}

    assert found.comparisons == 6
    assert found.confidence == pytest.approx(1 - 0.05 / 6)
    assert outcomes == {
        at: "better" if gain > 0 else "worse" if gain < 0 else "not shown"
        for at, gain in GAINS.items()
    }
    assert found.summary["gambler"] == {"better": 1, "not shown": 2}


def test_a_verdict_is_about_the_arm_and_the_env_it_names(run):
    from sandbox.verdicts.claims import verdicts

    first, second = verdicts(run)

    assert (first.verdict.status, second.verdict.title) == ("supported", "refuted (reversed)")
    assert first.claim == ("arm fixed → gambler makes mean_return higher by at least 0.2 in plain")
    assert first.effect.env == "plain"


def test_the_report_says_who_won_where(run):
    page = build(run.folder).read_text()

    assert "Arms compared" in page
    assert "arm fixed → gambler" in page
    assert page.count("<b>better</b>") == page.count("<b>worse</b>") == 1


def test_tensorboard_has_the_names(run):
    from sandbox.tensorboard.writer import rebuild

    folder = rebuild(run.folder)

    assert (folder / "arm=gambler" / "shifting" / "seed=3").is_dir()


def test_an_env_is_called_by_its_name():
    env = {"id": "a/B-v0", "kwargs": {"size": 5}, "name": "small"}
    whole = {"envs": [env, {"id": "a/B-v0", "kwargs": {"size": 7}}]}

    assert words.env_label(whole, env) == "small"
    assert words.env_label(whole, whole["envs"][1]) == "a/B-v0 (size=7)"
