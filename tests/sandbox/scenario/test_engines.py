"""One engine for a scenario: from what its agents begin with and what their edits may add."""

import json

import pytest

from agents.contract import Edit, Editor
from sandbox.catalogue import Part, catalogue
from sandbox.contract import named
from sandbox.errors import InputError
from sandbox.scenario import engines, trials
from sandbox.scenario import load as scenario
from sandbox.scenario.source import shipped
from tests.sandbox.conftest import CommandLine

HEAD = "schema: 1\nquestion: Who computes?\nmetrics: [capability]\nenvs: [sandbox/CoinGrid-v0]\n"
ATTENTIVE = "editor: {bandit: {edits: [widen, add_attention]}}"
WHY = "edit 'add_attention' may add layers of kind attention"


@pytest.fixture
def load(tmp_path):
    def loaded(text, **options):
        path = tmp_path / "engines.yaml"
        path.write_text(HEAD + text)
        return scenario.load(path, **options)

    return loaded


def in_trials(loaded):
    return [named(each.spec["learner"]).settings["engine"] for each in trials.expand(loaded)]


@pytest.mark.parametrize(
    ("agent", "reasons"),
    [
        ("{}", []),
        ("{editor: bandit}", []),
        ("{editor: random}", []),
        ("{learner: a2c, editor: growing}", []),
        ("{learner: ppo_two_streams}", []),
        ("{learner: dqn}", []),
        ("{learner: population, editor: evolution}", []),
        (f"{{{ATTENTIVE}}}", [WHY]),
        ("{architecture: {layers: [{kind: mixture, units: 4, count: 2}]}}",
         ["the architecture has layers of kind mixture"]),
        ("{editor: {schedule: {plan: [{update: 3, edit: open_memory}]}}}",
         ["edit 'open_memory' may add layers of kind memory"]),
        ("{editor: {schedule: {plan: [{update: 3, edit: restart, trunk: [4]}]}}}", []),
    ],
)  # fmt: skip
def test_auto_is_numpy_unless_some_network_can_come_to_need_torch(load, agent, reasons):
    found = load(f"agent: {agent}\n")

    assert engines.reasons(found) == reasons
    assert set(in_trials(found)) == {"torch" if reasons else "numpy"}


@pytest.mark.parametrize(
    "gate",
    [
        "{allow: [widen]}",
        "{max_edits: 0}",
        "{protect: [architecture]}",
        "{protect: [architecture.layers]}",
        "{write_scope: [learning_rule]}",
    ],
)
def test_what_the_gate_never_lets_through_reaches_no_network(load, gate):
    assert set(in_trials(load(f"agent: {{{ATTENTIVE}}}\ngate: {gate}\n"))) == {"numpy"}


@pytest.mark.parametrize(
    "gate",
    [
        "{allow: [add_attention]}",
        "{max_edits: 1}",
        "{protect: [architecture.layers.0]}",
        "{write_scope: [architecture.layers]}",
    ],
)
def test_what_the_gate_may_let_through_counts(load, gate):
    assert set(in_trials(load(f"agent: {{{ATTENTIVE}}}\ngate: {gate}\n"))) == {"torch"}


def test_all_conditions_have_one_engine_so_that_it_is_no_part_of_an_effect(load):
    found = load(f"agent: {{{ATTENTIVE}}}\nlevers: {{freeze_editor: [0, 1]}}\n")
    arms = load(f"arms:\n  plain: {{learner: {{ppo: {{epochs: 2}}}}}}\n  other: {{{ATTENTIVE}}}\n")

    assert set(in_trials(found)) == set(in_trials(arms)) == {"torch"}
    assert engines.line(found) == engines.line(arms) == f"engine: torch ({WHY})"


def test_one_agent_that_asks_for_torch_takes_all_that_leave_it_open_along(load):
    found = load("arms:\n  one: {learner: {ppo: {engine: torch}}}\n  other: {}\n")

    assert set(in_trials(found)) == {"torch"}
    assert engines.line(found) == "engine: torch (as the scenario asks)"


def test_two_engines_that_are_both_asked_for_can_be_compared(load):
    found = load(
        "arms:\n  one: {learner: {ppo: {engine: torch}}}\n"
        "  other: {learner: {ppo: {engine: numpy}}}\n"
    )

    assert engines.engines(found) == ["torch", "numpy"]


def test_numpy_that_cannot_be_had_is_an_error_at_its_place(load):
    with pytest.raises(InputError) as caught:
        load(f"agent:\n  learner: {{ppo: {{engine: numpy}}}}\n  {ATTENTIVE}\n")
    (problem,) = caught.value.problems

    assert problem.where.endswith("engines.yaml:6:27")
    assert problem.what.startswith("agent.learner.ppo.engine: numpy cannot compute every network")
    assert WHY in problem.what


def test_a_learner_without_the_setting_has_no_engine(load):
    found = load("agent: {learner: tabular, architecture: {trunk: []}}\n")

    assert engines.engines(found) == []
    assert not engines.line(found)


def test_the_engine_is_part_of_what_a_trial_is(load):
    numpy, torch = (
        load(f"agent: {{learner: {{ppo: {{engine: {each}}}}}}}\n") for each in ("auto", "torch")
    )

    assert numpy.digest() != torch.digest()
    ids = [{each.id for each in trials.expand(found)} for found in (numpy, torch)]
    assert not ids[0] & ids[1]
    assert numpy == load("agent: {learner: {ppo: {engine: numpy}}}\n")
    assert '"engine": "numpy"' in json.dumps(numpy.resolved())


def test_a_smaller_test_run_has_the_same_engine(load):
    assert set(in_trials(load(f"agent: {{{ATTENTIVE}}}\n", smoke=True))) == {"torch"}


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_scenario_is_computed_by_numpy_where_its_learner_has_a_choice(name):
    found = scenario.load(name)

    assert engines.reasons(found) == []
    assert engines.engines(found) in (["numpy"], [])


def test_check_and_plan_say_which_engine_and_what_stands_against_numpy(tmp_path):
    small = "agent: {learner: {ppo: {num_envs: 2, steps_per_update: 2, total_steps: 8}}"
    (tmp_path / "fast.yaml").write_text(f"{HEAD}seeds: 1\n{small}}}\n")
    (tmp_path / "slow.yaml").write_text(f"{HEAD}seeds: 1\n{small}, {ATTENTIVE}}}\n")
    sandbox = CommandLine(tmp_path)

    assert "engine" not in sandbox("check", "fast.yaml")[1]
    assert f"of 8 steps; engine: torch ({WHY})" in sandbox("check", "slow.yaml")[1]
    assert "engine: numpy\n" in sandbox("plan", "fast.yaml")[1]
    planned = json.loads(sandbox("plan", "slow.yaml", "--json")[1])
    assert (planned["engines"], planned["why_torch"]) == (["torch"], [WHY])


# --- plug-ins -------------------------------------------------------------------------------------


class SilentEdit(Edit):
    part = "architecture"


class SpokenEdit(SilentEdit):
    adds = frozenset({"dense"})


class RuleEdit(SilentEdit):
    part = "learning_rule"


class SilentEditor(Editor):
    pass


@pytest.mark.parametrize(
    ("kind", "engine"), [(SilentEdit, "torch"), (SpokenEdit, "numpy"), (RuleEdit, "numpy")]
)
def test_a_plug_in_edit_that_does_not_say_what_it_adds_may_add_anything(
    load, monkeypatch, kind, engine
):
    found = load("agent: {editor: {bandit: {edits: [widen]}}}\n")
    spec = trials.expand(found)[0].spec
    mine = named(spec["editor"]).changed(edits=["mine"])
    its_parts = type(catalogue()).parts
    part = Part("edits", "mine", f"{__name__}:{kind.__name__}", "", "a plug-in")
    monkeypatch.setattr(
        type(catalogue()),
        "parts",
        lambda self, of: {**its_parts(self, of), **({"mine": part} if of == "edits" else {})},
    )

    reasons = engines.reasons_of({**spec, "editor": mine})

    silent = ["edit 'mine' does not say which kinds of layers it adds"]
    assert reasons == (silent if engine == "torch" else [])


def test_a_plug_in_editor_that_does_not_say_what_it_may_propose_may_propose_anything(
    load, monkeypatch
):
    spec = trials.expand(load(""))[0].spec
    monkeypatch.setattr("agents.editors.fixed.Fixed.may_propose", Editor.may_propose)

    (reason,) = engines.reasons_of(spec)
    assert reason == f"editor 'fixed' does not say what it may propose, and {WHY}"
    assert engines.reasons_of({**spec, "gate": {**spec["gate"], "allow": ["widen"]}}) == []
