"""Scenarios: what authors may write, and every mistake named at its place, all at once."""

import json
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.errors import InputError
from sandbox.scenario import load as scenario
from sandbox.scenario import trials
from sandbox.scenario.form import Part, ScenarioForm
from sandbox.scenario.source import shipped
from sandbox.scenario.strict_yaml import read

SMALL = """\
schema: 1
question: Does it work?
envs: [sandbox/CoinGrid-v0]
metrics: [capability]
"""
WHOLE = """\
# yaml-language-server: $schema=../scenario.schema.json
schema: 1
question: Does decorrelating the levels keep a self-rewriting, curious agent on the intended goal?
envs: [sandbox/CoinGrid-v0]
agent:
  learner: {ppo: {num_envs: 64, total_steps: 200_000}}
  architecture: {trunk: [32, 32], activation: tanh}
  objective: {extrinsic: 1.0, rnd: 0.3}
  editor: {bandit: {every_updates: 4, edits: [widen, deepen, prune, reset_dormant]}}
gate: {max_parameters: 50_000, max_flops: 2.0e+12, protect: [objective]}
levers:
  data_coverage: [0, 0.02, 0.05, 0.15, 0.5]
  compute: [1, 0.25, 0.0625]
design: one_at_a_time
seeds: 20
metrics: [capability, goal_misgeneralisation, edits_applied]
claims: {metric: goal_misgeneralisation, effect_of: data_coverage, direction: lower,
          smallest_effect: 0.05}
"""


@pytest.fixture
def load(tmp_path):
    def loaded(text, name="quick.yaml", **options):
        path = tmp_path / name
        path.write_text(text)
        return scenario.load(path, **options)

    return loaded


@pytest.fixture
def problems(load, tmp_path):
    def found(text, **options):
        with pytest.raises(InputError) as caught:
            load(text, **options)
        return [str(each).replace(f"{tmp_path}/", "") for each in caught.value.problems]

    return found


def test_the_scenario_of_the_design_resolves_with_every_setting(load):
    found = load(WHOLE).resolved()
    assert json.loads(json.dumps(found)) == found
    assert found["name"] == "quick"
    assert found["seeds"] == list(range(20))
    assert found["levers"] == {
        "data_coverage": [0, 0.02, 0.05, 0.15, 0.5],
        "compute": [1, 0.25, 0.0625],
    }
    agent = found["agent"]
    assert agent["architecture"] == {
        "layers": [{"kind": "dense", "units": 32}] * 2,
        "activation": "tanh",
    }
    assert agent["learner"]["ppo"]["total_steps"] == 200_000
    assert agent["learner"]["ppo"]["learning_rate"] == 1e-3
    assert agent["objective"]["rnd"]["weight"] == 0.3
    assert agent["editor"]["bandit"]["edits"] == ["widen", "deepen", "prune", "reset_dormant"]
    assert found["envs"][0]["kwargs"]["coverage"] == 0.0
    assert found["gate"] == {
        "max_parameters": 50_000,
        "max_flops": 2e12,
        "max_edits": None,
        "protect": ["objective"],
    }
    assert found["claims"] == [
        {
            "metric": "goal_misgeneralisation",
            "effect_of": "data_coverage",
            "direction": "lower",
            "smallest_effect": 0.05,
            "alpha": 0.01,
            "role": "claim",
            "over": "mean",
            "capability_margin": 0.05,
            "accept_capability_loss": False,
        }
    ]
    assert found["limits"]["memory_mb"] == 4096
    assert found["limits"]["timeout_s"] > 0


def test_the_source_is_kept_as_it_was_read(load):
    text = "\ufeff" + SMALL.replace("\n", "\r\n")
    assert load(text).source == text.encode()


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("agent: {learner: ppo}", "agent: {learner: {ppo: }}"),
        ("agent: {learner: ppo}", "agent: {}"),
        ("agent: {objective: {rnd: 1}}", "agent: {objective: {rnd: {weight: 1.0}}}"),
        ("agent: {architecture: {trunk: [8]}}",
         "agent: {architecture: {layers: [{kind: dense, units: 8}]}}"),
        ("seeds: 3", "seeds: [0, 1, 2]"),
        ("seeds: {first: 5, count: 2}", "seeds: [5, 6]"),
        ("probes: [held_out]", "probes: {held_out: {}}"),
        ("levers: {compute: [1, 0.5]}", "levers: {compute: [1.0, 5e-1]}"),
    ],
)  # fmt: skip
def test_shorthand_means_the_long_form(load, one, same):
    found, other = load(SMALL + one), load(SMALL + same)
    assert found == other
    assert [each.id for each in trials.expand(found)] == [each.id for each in trials.expand(other)]


def test_an_env_with_defaults_is_the_env_alone(load):
    long = SMALL.replace("[sandbox/CoinGrid-v0]", "[{id: sandbox/CoinGrid-v0, kwargs: {size: 5}}]")
    assert load(SMALL) == load(long)


BAD = """\
schema: 2
questoin: what
envs: [sandbox/CoinGrod-v0, {id: sandbox/CoinGrid-v0, kwrags: {size: 7}}]
agent:
  learner: {ppo: {num_env: 64, total_steps: 12:30:45, discount: 2}}
  architecture: {trunk: [32, 0]}
  objective: {rdn: 0.3}
  editor: {bandit: {every_updates: 0, edits: [widen, depen]}}
gate: {max_parameters: -5, protect: [objectiv]}
levers:
  data_covrage: [0, 0.5]
  compute: [1, no]
design: ful
seeds: [1, -1, 1]
metrics: [capabilty]
"""


def test_all_errors_come_at_once_in_the_order_of_the_file(problems):
    found = [each.splitlines()[0] for each in problems(BAD)]
    assert [each.split(": error: ")[0] for each in found] == [
        "quick.yaml:1:1", "quick.yaml:1:9", "quick.yaml:2:1", "quick.yaml:3:8", "quick.yaml:3:55",
        "quick.yaml:5:19", "quick.yaml:5:45", "quick.yaml:5:65", "quick.yaml:6:30",
        "quick.yaml:7:15", "quick.yaml:8:36", "quick.yaml:8:54", "quick.yaml:9:24",
        "quick.yaml:9:38", "quick.yaml:11:3", "quick.yaml:12:16", "quick.yaml:13:9",
        "quick.yaml:14:12", "quick.yaml:14:16", "quick.yaml:15:11",
    ]  # fmt: skip
    text = "\n".join(found)
    for meant in (
        "'question' is missing",
        "did you mean 'question'?",
        "did you mean 'sandbox/CoinGrid-v0'?",
        "unknown key 'kwrags' in envs.1 — did you mean 'kwargs'?",
        "unknown key 'num_env' in agent.learner.ppo — did you mean 'num_envs'?",
        "total_steps: must be an integer (got '12:30:45')",
        "discount must be a number in [0, 1], got 2",
        "trunk.1: must be at least 1 (got 0)",
        "did you mean 'rnd'?",
        "did you mean 'deepen'?",
        "gate.max_parameters: must be at least 1 (got -5)",
        "did you mean 'objective'?",
        "did you mean 'data_coverage'?",
        "levers.compute.1: must be a number (got 'no')",
        "did you mean 'full'?",
        "must be an integer 0..4294967295 (got -1)",
        "seed 1 is listed twice",
        "did you mean 'capability'?",
    ):
        assert meant in text


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("return_reward", "it is now called 'mean_return'"),
        ("hidden_reward", "it is now called 'hidden_return'"),
        ("capabilty", "did you mean 'capability'?"),
        ("return", "did you mean 'mean_return'"),
        ("regret", "did you mean 'value_regret'?"),
    ],
)
def test_a_metric_that_is_not_there_has_a_suggestion(problems, name, hint):
    (said,) = problems(SMALL.replace("[capability", f"[{name}, capability"))
    assert f"no metric is called '{name}'" in said
    assert hint in said


def test_claims_under_their_former_name_get_the_new_one(problems):
    claim = "{metric: harm, effect_of: data_coverage, direction: lower, smallest_effect: 0.1}"
    (said,) = problems(f"{SMALL}expects: {claim}\n")
    assert "unknown key 'expects' — it is now called 'claims'" in said


def test_an_error_shows_its_line_and_a_caret(problems):
    (message,) = problems(SMALL + "desing: full")
    assert message == (
        "quick.yaml:5:1: error: unknown key 'desing' — did you mean 'design'?\n"
        "    5 | desing: full\n"
        "      | ^"
    )


CLAIMED = (
    "levers: {compute: [1, 2]}\n"
    "claims: {metric: capability, effect_of: compute, direction: lower, smallest_effect: 0.1"
    ", alpha: 0.05"
)


UNSAID = CLAIMED.removesuffix(", alpha: 0.05")


def test_a_look_that_could_decide_is_taken(load):
    text = f"{SMALL}{CLAIMED}}}\nseeds: 9\nlooks: [8, 9]"
    assert load(text).looks == (8, 9)


@pytest.mark.parametrize(
    ("more", "where", "what"),
    [
        ("levers: {data_coverage: [0, 2]}", "5:29", "must lie in [0, 1]"),
        ("levers: {compute: [1, 0]}", "5:23", "must be positive"),
        ("levers: {compute: [1, 1.0]}", "5:23", "dose 1 is listed twice"),
        ("levers: {compute: []}", "5:19", "must have at least 1"),
        ("levers: {placebo: 3}", "5:19", "must be a list"),
        ("metrics2: 3", "5:1", "did you mean 'metrics'?"),
        ("name: Quick", "5:7", "must match [a-z0-9]"),
        ("name: a/../b", "5:7", "must match [a-z0-9]"),
        ("agent: {learner: independent}", "3:8", "has one agent; learner 'independent' is not"),
        ("agent: {learner: 3}", "5:18", "must be a name or {name: settings} (got 3)"),
        ("agent: {learner: {ppo: 3}}", "5:24", "must be a mapping (got 3)"),
        ("agent: {learner: {ppo: {}, independent: {}}}", "5:18", "must have at most 1"),
        ("agent: {learner: {ppo: {num_envs: true}}}", "5:35", "must be an integer (got true)"),
        ("agent: {learner: {ppo: {num_envs: '7'}}}", "5:35", "must be an integer (got '7')"),
        ("agent: {objective: {}}", "5:20", "must have at least 1"),
        ("agent: {objective: {rnd: yes}}", "5:26", "must be a number, its weight, or {weight, "),
        ("agent: {learner: {ppo: {num_envs: 1e5}}}", "5:35", "(got 100000.0); write 100_000"),
        ("agent: {learner: {ppo: {num_envs: 10_0}}}", "5:35", "(got '10_0'); write 100"),
        ("agent: {editor: {bandit: {edits: widen}}}", "5:34", "must be a list (got 'widen')"),
        ("agent: {architecture: {trunk: [8], layers: []}}", "5:36", "not both"),
        ("agent: {architecture: {layers: [{kind: residual, units: 8}]}}", "5:33", "must be dense"),
        ("seeds: 0", "5:8", "count must be an integer 1..100000 (got 0)"),
        ("seeds: 1.5", "5:8", "must be a count, a list of integers, or {first, count}"),
        ("seeds: true", "5:8", "must be a count"),
        ("seeds: '7'", "5:8", "must be a count"),
        ("seeds: [4294967296]", "5:9", "must be an integer 0..4294967295"),
        ("seeds: [true]", "5:9", "must be an integer 0..4294967295"),
        ("seeds: [1.5]", "5:9", "must be an integer 0..4294967295"),
        ("seeds: {count: 3, frist: 1}", "5:8", "{first, count}"),
        ("limits: {timeout_s: 0}", "5:21", "greater than 0"),
        ("limits: {memory_mb: 010}", "5:21", "must be an integer (got '010')"),
        ("gate: {protect: [objective, objective]}", "5:29", "listed twice"),
        ("probes: {held_uot: }", "5:10", "did you mean 'held_out'?"),
        ("claims: {metric: capability, effect_of: compute, direction: lower, smallest_effect: 1}",
         "5:41", "no lever of this scenario is called 'compute'"),
        ("levers: {compute: [1]}\nclaims: {metric: harm, effect_of: compute, direction: low}",
         "6:35", "has one dose; an effect needs two"),
        ("levers: {compute: [1]}\nclaims: {metric: harm, effect_of: compute, direction: low}",
         "6:18", "no metric of this scenario is called 'harm'; there are capability"),
        ("levers: {compute: [1]}\nclaims: {metric: harm, effect_of: compute, direction: low}",
         "6:9", "'smallest_effect' is missing in claims"),
        (f"{UNSAID}, alpha: 0.6}}", "6:97", "must be at most 0.1 (got 0.6)"),
        (f"{UNSAID}, alpha: 0}}", "6:97", "greater than 0.0 (got 0)"),
        ("seeds: 9\nlooks: [3, 3, 9]", "6:8", "must rise from one to the next (got [3, 3, 9])"),
        ("seeds: 9\nlooks: [5, 8]", "6:8", "must be the number of seeds, 9 (got 8)"),
        (f"{CLAIMED}}}\nseeds: 9\nlooks: [7, 9]", "8:9",
         "with 7 seeds the smallest p is 0.0078, above the level of this analysis, 0.005"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_stands(problems, more, where, what):
    found = problems(SMALL + more)
    assert any(f"quick.yaml:{where}: error: " in each and what in each for each in found), found


@pytest.mark.parametrize("env", ["os:Env-v0", "canary:CartPole-v1", "module.py:x", "NoSuch-v0"])
def test_an_env_id_never_imports_a_module(problems, tmp_path, monkeypatch, env):
    (tmp_path / "canary.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    (message,) = problems(SMALL.replace("sandbox/CoinGrid-v0", f"'{env}'"))
    assert message.startswith("quick.yaml:3:8: error: ")
    assert ("holds a colon" if ":" in env else f"no env is called '{env}'") in message
    assert "canary" not in sys.modules


def test_tags_are_refused_and_nothing_is_executed(problems, tmp_path):
    canary = tmp_path / "canary"
    tagged = f"!!python/object/apply:os.system ['touch {canary}']"
    assert any("tags are not allowed" in each for each in problems(SMALL + f"name: {tagged}"))
    assert not canary.exists()


def test_a_joint_world_needs_a_learner_for_several_agents(load, problems):
    race = SMALL.replace("CoinGrid", "LabRace")
    (message,) = problems(race)
    assert "has several agents; learner 'ppo' is not for that, use independent" in message
    assert load(race + "agent: {learner: independent}").envs[0]["id"] == "sandbox/LabRace-v0"


def test_two_levers_on_the_same_key_are_refused(problems, monkeypatch, tmp_path):
    from sandbox.catalogue import catalogue

    (tmp_path / "second_lever.py").write_text(
        "from dataclasses import dataclass\n"
        "from sandbox.contract import Lever\n"
        "@dataclass(frozen=True)\n"
        "class Second(Lever):\n"
        "    family = 'compute'\n"
        "    neutral = 1.0\n"
        "    def apply(self, spec, dose):\n"
        "        (name, settings), = spec['learner'].items()\n"
        "        return {**spec, 'learner': {name: {**settings, 'total_steps': int(dose)}}}\n"
        "    def manipulation_check(self, events, dose):\n"
        "        return None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(catalogue(), "plugged", {})
    catalogue().add("levers", "second", "second_lever:Second")
    (message,) = problems(SMALL + "levers: {compute: [1, 0.5], second: [1, 2]}")
    assert "levers 'compute' and 'second' both change learner.ppo.total_steps" in message


def test_an_explosion_is_refused_before_it_is_expanded(problems, load):
    doses = ", ".join(str(1 + i / 1000) for i in range(1000))
    text = SMALL + f"levers: {{compute: [{doses}], placebo: [{doses.replace('.', '')}]}}\n"
    text += "design: full\nseeds: 1000"
    (message,) = problems(text)
    assert "would run 1,000,000,000 trials (limit 10,000; raise with --max-trials)" in message
    assert trials.count(load(SMALL + "seeds: 20_000", max_trials=20_000)) == 20_000


# --- names and files ---------------------------------------------------------------------------


def test_a_file_name_that_cannot_name_a_run_asks_for_a_name(load):
    with pytest.raises(InputError, match="cannot name a run"):
        load(SMALL, name="My Scenario.yaml")
    assert load(SMALL + "name: mine", name="My Scenario.yaml").name == "mine"


@pytest.mark.parametrize("name", ["", "-", "quikstart", "no/such.yaml", "a\0b", "x" * 5000])
def test_a_missing_file_is_an_input_error(name):
    with pytest.raises(InputError, match="no scenario"):
        scenario.load(name)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_scenario_is_valid_and_found_by_name(name):
    found = scenario.load(name)
    assert found.name == name
    first = shipped()[name].read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../scenario.schema.json"


# --- the command line's changes ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("agent.learner.ppo.num_envs=8", "agent.learner.ppo.num_envs", 8),
        ("agent.editor=fixed", "agent.editor", {"fixed": {}}),
        ("envs.0={id: CartPole-v1}", "envs.0.id", "CartPole-v1"),
        ("levers.compute=[1, 5e-1]", "levers.compute", [1, 0.5]),
        ("levers.data_coverage.1=0.25", "levers.data_coverage.1", 0.25),
        ("question=no", "question", "no"),
    ],
)
def test_set_changes_one_value(load, override, path, value):
    text = WHOLE if "envs" not in override else SMALL
    found = load(text, overrides=[override]).resolved()
    for step in path.split("."):
        found = found[int(step) if isinstance(found, list) else step]
    assert found == value


def test_set_reaches_into_a_shorthand(load):
    found = load(SMALL + "agent: {learner: ppo}", overrides=["agent.learner.ppo.num_envs=8"])
    assert found.agent["learner"]["ppo"]["num_envs"] == 8


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("agent", "must be KEY=VALUE"),
        ("=3", "must be KEY=VALUE"),
        ("design=ful", "design: must be 'one_at_a_time' or 'full' (got 'ful')"),
        ("desing=full", "unknown key 'desing' — did you mean 'design'?"),
        ("agent.x.y=1", "unknown key 'x' in agent"),
        ("agent.learner.ppo.num_env=1", "did you mean 'num_envs'?"),
        ("question.deep=1", "'deep' cannot be set"),
        ("envs.7=x", "'7' is no item of this list; it has 0 to 0"),
        ("seeds=[1", "YAML syntax"),
        ("seeds=!x 1", "tags are not allowed"),
        ("seeds=.nan", "must be a finite number"),
    ],
)
def test_an_error_in_set_names_the_option(problems, override, what):
    found = problems(WHOLE, overrides=[override])
    assert any(each.startswith(f"--set {override}: error: ") and what in each for each in found)


def test_a_number_of_seeds_keeps_those_of_the_scenario_and_goes_on_after_them(load):
    """0 to 9 may have been used to tune what 10 to 12 are to confirm."""
    assert load(WHOLE, seeds=4).seeds == (0, 1, 2, 3)
    confirming = WHOLE.replace("seeds: 20", "seeds: [10, 12]")
    assert load(confirming, seeds=4).seeds == (10, 12, 13, 14)
    assert load(confirming, seeds=1).seeds == (10,)
    assert load(SMALL, seeds=5).seeds == (0, 1, 2, 3, 4)


def test_smoke_keeps_every_condition_and_space_for_an_edit(load):
    whole, smoke = load(WHOLE), load(WHOLE, smoke=True)
    assert smoke.agent["learner"]["ppo"]["total_steps"] == 6 * 64 * 32
    assert smoke.probes["held_out"]["episodes"] == 8
    names = [{trial.condition_name for trial in trials.expand(each)} for each in (whole, smoke)]
    assert names[0] == names[1]
    assert smoke.digest() != whole.digest()
    large = load(WHOLE.replace("200_000", "2_000_000"), smoke=True)
    assert large.agent["learner"]["ppo"]["total_steps"] == 100_000
    tiny = load(WHOLE.replace("200_000", "5_000"), smoke=True)
    assert tiny.agent["learner"]["ppo"]["total_steps"] == 5_000


def test_a_smoke_scenario_says_so_where_it_is_smaller_and_nowhere_else(load):
    """The mark changes neither what a trial is nor the run folder."""
    whole, smoke = load(WHOLE), load(WHOLE, smoke=True)
    assert (whole.resolved()["smoke"], smoke.resolved()["smoke"]) == (False, True)
    unmarked = replace(smoke, smoke=False)
    assert unmarked.digest() == smoke.digest()
    assert trials.expand(unmarked) == trials.expand(smoke)
    small = WHOLE.replace("200_000", "5_000")
    few = load(small, overrides=["probes={held_out: {episodes: 8}}"], smoke=True)
    assert few.smoke is False


def test_more_seeds_doses_and_metrics_keep_the_run_folder(load):
    base = load(WHOLE).digest()
    assert load(WHOLE, seeds=3).digest() == base
    assert load(WHOLE, overrides=["metrics=[harm]", "claims=[]"]).digest() == base
    assert load(WHOLE, overrides=["levers={}", "claims=[]"]).digest() == base
    assert load(WHOLE, overrides=["agent.editor=fixed"]).digest() != base


def test_the_form_protects_what_a_genome_has():
    from typing import get_args

    from agents.genome import PARTS

    assert get_args(Part) == PARTS


# --- whatever is written -----------------------------------------------------------------------

VALUES = st.recursive(
    st.sampled_from([None, True, 0, -1, 2, 1.5, 1e300, "", "ppo", "rnd", "no", "x:y", "a" * 300]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ppo", "rnd", "id", "count", "metric", "z"]), inner)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from([each.alias or name for name, each in ScenarioForm.model_fields.items()])
INNER = st.sampled_from(["learner", "architecture", "objective", "editor"])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture],
          deadline=None)  # fmt: skip
@given(st.dictionaries(KEYS, VALUES, max_size=3), st.dictionaries(INNER, VALUES, max_size=2))
def test_nothing_but_an_input_error_ever_leaves(tmp_path, changed, agent):
    path = tmp_path / "s.yaml"
    path.write_text(WHOLE)
    data = {**read(path).data, **changed}
    if "agent" not in changed:
        data["agent"] = {**data["agent"], **agent}
    path.write_text(json.dumps(data))  # JSON is YAML
    try:
        found = scenario.load(path)
    except InputError as error:
        places = [each.where for each in error.problems]
    else:
        places = [f"{path}: {trials.count(found)}"]
    assert places
    assert all(place.startswith(str(path)) for place in places)


@pytest.mark.parametrize("value", ["true", "3", "[1]", "text"])
def test_claims_that_are_no_claims_are_said_to_be_so(value):
    with pytest.raises(InputError, match="claims"):
        scenario.load("quickstart", overrides=[f"claims={value}"])


def test_a_name_among_repeated_ones_or_among_none_is_answered_plainly(problems):
    claim = "{metric: capabilty, effect_of: x, direction: higher, smallest_effect: 1}"
    text = SMALL.replace("metrics: [capability]", "metrics: [capability, capability]")
    _, metric, lever = problems(text + f"claims: {claim}")
    assert "there are capability — did you mean" in metric
    assert "no lever of this scenario is called 'x'; there are none" in lever
