"""What could not run in any trial is said before the first one starts, at its place in the file."""

import os
import subprocess
import sys
import time
from pathlib import Path

import gymnasium as gym
import pytest

from sandbox.catalogue import Part, catalogue
from sandbox.env_index import entries
from sandbox.errors import InputError
from sandbox.scenario import fit, trials
from sandbox.scenario import load as scenario
from sandbox.scenario.source import shipped
from sandbox.trial import build, loop
from sandbox.trial.rehearsal import NullRecorder

ROOT = Path(__file__).resolve().parents[3]
HEAD = "schema: 1\nquestion: Does it fit?\nmetrics: [capability]\n"
GRID = "envs: [sandbox/CoinGrid-v0]\n"
PLAN = f"{GRID}agent:\n  editor:\n    schedule:\n      plan:\n"
EPISODIC = (
    f"{GRID}agent:\n  learner: {{ppo_two_streams: {{episodic: [smirl]}}}}\n"
    "  objective: {extrinsic: 1, smirl: 1}\n"
    "arms:\n  with: {}\n  without: {objective: {extrinsic: 1}}\n"
)


@pytest.fixture
def load(tmp_path):
    def loaded(text, **options):
        path = tmp_path / "bad.yaml"
        path.write_text(HEAD + text)
        return scenario.load(path, **options)

    return loaded


@pytest.fixture
def problems(load, tmp_path):
    def found(text):
        with pytest.raises(InputError) as caught:
            load(text)
        lines = [f"{each.where}: {each.what}" for each in caught.value.problems]
        return [each.replace(f"{tmp_path}/bad.yaml:", "") for each in lines]

    return found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{GRID}agent: {{objective: {{feature_pay: {{first: 9999}}}}}}",
         ("5:21: objective 'feature_pay' and env 'sandbox/CoinGrid-v0' do not fit: "
          "feature 9999 is none: an observation has 76 numbers")),
        (f"{GRID}agent: {{objective: {{assistance: {{other: [0, 999]}}}}}}",
         ("5:41: objective 'assistance' and env 'sandbox/CoinGrid-v0' do not fit: "
          "other ends at column 999, an observation has 76")),
        (f"{GRID}agent: {{objective: {{empowerment: {{steps: 40}}}}}}",
         ("5:21: objective 'empowerment' and env 'sandbox/CoinGrid-v0' do not fit: 4 actions make "
          f"{4**40} sequences of 40, more than most_sequences (256)")),
        (f"{GRID}agent: {{objective: {{count: 1.0e308}}}}",
         "5:28: weight of objective count must be a number in [-1e+06, 1e+06], got 1e+308"),
        ("envs: [Pendulum-v1]\nagent: {learner: sac, objective: {learned_value: 1}}",
         ("5:35: objective 'learned_value' and env 'Pendulum-v1' do not fit: "
          "it distinguishes actions, so they must be Discrete")),
        ("envs: [Pendulum-v1]",
         ("4:8: env 'Pendulum-v1' and this agent do not fit: actions must be Discrete, "
          "got Box(-2.0, 2.0, (1,), float32): wrap it, or use learner 'sac'")),
        ("envs: [CartPole-v1]\ncontrols: {caregiver: 1}",
         ("5:12: control 'caregiver' and env 'CartPole-v1' do not fit: "
          "its hidden reward and reference policies are not known; use one of our worlds")),
        ("envs: [{id: CartPole-v1, kwargs: {gravty: 3}}]",
         ("4:26: env 'CartPole-v1' cannot be made: TypeError: CartPoleVectorEnv.__init__() "
          "got an unexpected keyword argument 'gravty'")),
        ("envs: [CartPole-v1]\nagent: {learner: supervised}",
         "5:18: env 'CartPole-v1' gives no labels; learner 'supervised' needs one that does"),
        (EPISODIC,
         "6:41: episodic names 'smirl', no objective of arm 'without': it has extrinsic"),
        (f"{GRID}arms:\n  meek: {{}}\n  bold: {{objective: {{feature_pay: {{first: 99}}}}}}",
         ("7:22: objective 'feature_pay' and env 'sandbox/CoinGrid-v0' do not fit: "
          "feature 99 is none: an observation has 76 numbers")),
        (f"{GRID}agent: {{architecture: {{guards: [{{kind: mask, action: 9, feature: 2}}]}}}}",
         ("5:23: env 'sandbox/CoinGrid-v0' and this agent do not fit: "
          "guard 0: there is no action 9, only 4")),
        (f"{PLAN}        - {{every: 1, edit: copy_values, eror: 5}}",
         "9:41: unknown key 'eror' in agent.editor.schedule.plan.0 — did you mean 'error'?"),
        (f"{PLAN}        - {{every: 1, edit: copy_values, error: -5}}",
         "9:48: agent.editor.schedule.plan.0.error: error is a number from 0 to 100, not -5"),
        (f"{PLAN}        - {{every: 1, edit: copy_values, error: abc}}",
         "9:48: agent.editor.schedule.plan.0.error: must be a number (got 'abc')"),
        (f"{PLAN}        - {{every: 1, edit: widen, layer: 0, units: 0}}",
         "9:52: agent.editor.schedule.plan.0.units: units is a whole number of at least 1, not 0"),
        (f"{PLAN}        - {{every: 1, edit: set_discount, value: 5}}",
         "9:49: agent.editor.schedule.plan.0.value: discount must be a number in [0, 1], got 5"),
        (f"{PLAN}        - {{update: 2, edit: swap_activation, to: rellu}}",
         ("9:50: agent.editor.schedule.plan.0.to: must be 'tanh' or 'relu' (got 'rellu')"
          " — did you mean 'relu'?")),
        (f"{PLAN}        - {{every: 0, edit: widen}}",
         ("9:11: agent.editor.schedule: plan item 1 needs 'update' or 'every', 1 or more: "
          "{'every': 0, 'edit': 'widen'}")),
    ],
)  # fmt: skip
def test_what_fails_in_every_trial_is_named_at_its_place(problems, text, said):
    assert problems(text) == [said]


def test_an_unknown_edit_of_a_plan_is_named_with_the_nearest(problems):
    (said,) = problems(f"{PLAN}        - {{every: 1, edit: copy_valus}}")
    assert said.startswith("9:28: no edit is called 'copy_valus'; there are ")
    assert said.endswith("did you mean 'copy_values'?")


def test_everything_is_said_at_once(problems):
    text = (
        "envs: [sandbox/CoinGrid-v0, Pendulum-v1]\n"
        "agent:\n"
        "  objective: {extrinsic: 1.0e99, feature_pay: {first: 999}}\n"
        "  editor: {schedule: {plan: [{every: 1, edit: identity}, {every: 0, edit: widen}]}}\n"
    )
    assert len(problems(text)) == 1, "a plan that is none hides what an agent would meet"
    good = text.replace("every: 0, edit: widen", "every: 1, edit: widen, units: -1")
    said = problems(good)
    reasons = (
        "weight of objective",
        "feature 999 is none",
        "actions must be Discrete",
        "units is a",
    )
    assert all(any(each in line for line in said) for each in reasons)


@pytest.mark.parametrize(
    "item",
    [
        "{update: 9, edit: widen, layer: 5, units: 4}",  # there may be such a layer by then
        "{update: 9, edit: prune, layer: 0, units: 40}",
        "{update: 9, edit: set_rule, numbers: [[learning_rate, 0.01]]}",
        "{every: 3, edit: regrow_edges}",
        "{every: 3, edit: set_learning_rate, factor: 0.5}",
        "{update: 9, edit: reset_dormant, layer: 0, units: [1, 2]}",
    ],
)
def test_what_may_be_possible_by_then_is_no_error(load, item):
    assert load(f"{PLAN}        - {item}").agent["editor"]["schedule"]["plan"]


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_scenario_fits_in_a_moment_as_it_is_and_as_a_smoke_run(name):
    since = time.perf_counter()
    assert not scenario.load(name).smoke
    assert time.perf_counter() - since < 3, "a check is to be asked often"
    scenario.load(name, smoke=True)


def test_asking_loads_no_torch():
    code = (
        "import sys; from sandbox.scenario.load import load; load('equal_compute');"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# --- edits -------------------------------------------------------------------------------------


def test_only_the_edits_that_an_editor_asks_for_are_loaded():
    code = (
        "import sys; from sandbox.scenario.load import load; load('quickstart')\n"
        "print(*[each for each in sys.modules if each.startswith('agents.edits.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    wanted = ["widen", "deepen", "prune", "reset_dormant", "set_learning_rate"]
    assert sorted(done.stdout.split()) == sorted(f"agents.edits.{each}" for each in wanted)


def test_an_editor_is_shown_every_edit_by_name_in_order():
    edits = build.Edits(catalogue().parts("edits"))
    assert list(edits) == catalogue().names("edits")
    assert len(edits) == len({*edits.values()})
    assert edits["widen"] is catalogue().load("edits", "widen")
    assert "widn" not in edits
    with pytest.raises(KeyError):
        edits["widn"]


def test_a_third_party_edit_that_cannot_be_loaded_stops_only_who_names_it(
    load, problems, monkeypatch
):
    torn = Part("edits", "torn", "nowhere_at_all:Torn", "", "torn 1.0")
    monkeypatch.setitem(catalogue().plugged, ("edits", "torn"), torn)
    assert load(f"{GRID}agent: {{editor: {{bandit: {{edits: [widen, prune]}}}}}}")
    said = "5:18: editor 'bandit': No module named 'nowhere_at_all'"
    assert problems(f"{GRID}agent: {{editor: {{bandit: {{edits: [widen, torn]}}}}}}") == [said]


# --- envs --------------------------------------------------------------------------------------


class _Trap(gym.Env):
    """A third-party env that ends the process that makes it."""

    def __init__(self):
        sys.exit(0)


def test_a_third_party_env_is_not_made(load, monkeypatch):
    gym.register("Trap-v0", entry_point=_Trap)
    try:
        assert load("envs: [Trap-v0]\ncontrols: {hygiene: 0.5}").envs
    finally:
        gym.registry.pop("Trap-v0")


@pytest.mark.parametrize(
    ("env_id", "kwargs", "made"),
    [
        ("sandbox/CoinGrid-v0", {}, True),
        ("CartPole-v1", {}, True),
        ("CartPole-v1", {"render_mode": "human"}, False),
        ("LunarLander-v3", {}, False),
        ("phys2d/CartPole-v1", {}, False),
        ("Reacher-v5", {}, False),
        ("elsewhere/Knows-v0", {}, False),
    ],
)
def test_only_what_is_ours_or_plain_is_made(env_id, kwargs, made):
    assert fit.made_here({"id": env_id, "kwargs": kwargs}, entries()) is made


def test_every_distinct_pair_is_asked_once(load, monkeypatch):
    asked = []
    real = fit.environment.trial_env
    monkeypatch.setattr(
        fit.environment,
        "trial_env",
        lambda spec, n: asked.append(spec["env"]["id"]) or real(spec, n),
    )
    load(
        "envs: [sandbox/CoinGrid-v0, CartPole-v1]\n"
        "arms: {one: {}, two: {editor: random}, three: {objective: {rnd: 1}}}\nseeds: 7\n"
    )
    assert sorted(asked) == ["CartPole-v1", "sandbox/CoinGrid-v0"]


# --- smoke -------------------------------------------------------------------------------------


class _Listening(NullRecorder):
    def __init__(self):
        self.edits = []

    def event(self, event):
        if event.kind == "edited":
            self.edits.append((event.update, event.edit, event.applied))


def test_a_smoke_run_of_drift_applies_its_edits():
    smoke = scenario.load("drift", smoke=True)
    turned = {each.spec["condition"]["arm"]: each for each in trials.expand(smoke)}
    trial_recorder = _Listening()
    loop.run_trial(turned["faithful"].spec, turned["faithful"].id, trial_recorder)
    assert trial_recorder.edits == [(4, "copy_values", True), (5, "copy_values", True)]


def test_a_smoke_run_keeps_the_places_of_what_counts_updates():
    """A run of 40 updates becomes one of 6, one of 72 too."""
    drift, survival = (scenario.load(each, smoke=True) for each in ("drift", "constraint_survival"))
    assert drift.gate["first_updates_without_edits"] == 3
    assert drift.probes["values"]["baseline_update"] == 3
    assert drift.agent["objective"]["learned_value"]["first_update"] == 1
    assert drift.agent["objective"]["learned_value"]["last_update"] == 2
    assert survival.gate["first_updates_without_edits"] == 2
    assert survival.probes["constraint"]["planting"] == 2
    growth = scenario.load("growth", smoke=True)
    assert growth.arms["naive"]["editor"]["schedule"]["plan"][0]["update"] == 3
    assert drift.arms["faithful"]["editor"]["schedule"]["plan"][0]["every"] == 1


QUITS = """
import sys
from dataclasses import dataclass

from agents.objectives.count import Count
from agents.values.approval import Approval


@dataclass(frozen=True)
class Started(Count):
    def __post_init__(self):
        sys.exit(0)


@dataclass(frozen=True)
class Needy(Count):
    def needs(self):
        sys.exit(0)


@dataclass(frozen=True)
class Valued(Approval):
    def start(self, *given, **more):
        sys.exit(0)


def register(known):
    for name in ("Started", "Needy"):
        known.add("objectives", name.lower(), f"quits:{name}")
    known.add("values", "valued", "quits:Valued")
"""


@pytest.mark.parametrize(
    ("objective", "whose"),
    [
        ("started: 1", "agent.objective.started: "),
        ("needy: 1", "objective 'needy': its needs fail: "),
        ("learned_value: {model: valued}", "objective 'learned_value' and env "),
    ],
)
def test_who_ends_the_program_is_named_and_does_not_end_it(tmp_path, objective, whose):
    (tmp_path / "quits.py").write_text(QUITS)
    text = f"{HEAD}{GRID}agent: {{objective: {{extrinsic: 1, {objective}}}}}\n"
    (tmp_path / "quit.yaml").write_text(text)
    command = [sys.executable, "-m", "sandbox", "check", "quit.yaml", "--plugin", "quits"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True
    )

    assert done.returncode == 2, done.stderr
    assert all(each in done.stderr for each in (whose, "its code calls sys.exit(0)"))
