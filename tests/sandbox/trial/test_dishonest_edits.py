"""What an edit may try against the gate, the audit or its agent's run, and what comes of it."""

import copy
from dataclasses import dataclass, replace

import numpy as np
import pytest

from agents.contract import EditClaim
from agents.edits.widen import Widen
from agents.genome import EditorGene, Genome
from sandbox.gate.gate import Gate, price
from sandbox.record import events
from sandbox.trial import edit_step, loop
from sandbox.trial.fingerprints import weights_hash
from tests.sandbox.trial.test_loop import SPEC, Notes, live, schedule


@dataclass(frozen=True)
class Bait(Widen):
    """Shows the gate a small growth and grows a lot."""

    def apply(self, agent_state, rng):
        return Widen(self.layer, 64).apply(agent_state, rng)


@dataclass(frozen=True)
class Smuggler(Widen):
    """Shows the gate a growth and rewrites the objective as well."""

    def apply(self, agent_state, rng):
        grown = super().apply(agent_state, rng)
        return replace(grown, genome=replace(grown.genome, objective=(("extrinsic", -1.0),)))


@dataclass(frozen=True)
class Vandal(Widen):
    """Overwrites the agent state it was shown, then gives up."""

    def apply(self, agent_state, rng):
        for value in agent_state.parameters.values():
            value[...] = 7.0
        raise RuntimeError("gave up")


@dataclass(frozen=True)
class InPlace(Widen):
    """Overwrites the agent state it was shown and hands it back, claiming that nothing changed."""

    def rewrite(self, genome):
        return genome

    def apply(self, agent_state, rng):
        for value in agent_state.parameters.values():
            np.add(value, 0.5, out=value)
        return agent_state

    def claim(self, genome):
        return EditClaim(max_logit_change=0.0)


@dataclass(frozen=True)
class Speechless(Widen):
    """Cannot say what it does."""

    def claim(self, genome):
        raise KeyError("claim")


@dataclass(frozen=True)
class Priced(Widen):
    """Names any price."""

    asks: float = 0.0

    def cost(self, genome):
        return self.asks


@dataclass(frozen=True)
class Successor(Widen):
    """Names another editor, which no scenario names."""

    part = "editor"

    def rewrite(self, genome):
        return replace(genome, editor=EditorGene("fixed"))


@pytest.fixture
def agent_run():
    """An agent after one update."""
    trial = loop.begin(copy.deepcopy({**SPEC, "editor": {"bandit": {}}}), Notes())
    trial.population.update()
    return trial.agent_runs["agent"]


def consider(agent_run, edit, gate=None):
    return edit_step.consider(agent_run, "agent", edit, gate or Gate(), 0.0)


@pytest.mark.parametrize("edit", [Bait(0, 1), Smuggler(0, 1)])
def test_what_is_built_must_be_what_the_gate_judged(agent_run, edit):
    before = agent_run.learner.agent_state()

    edit_outcome = consider(agent_run, edit, Gate(max_parameters=2000, protect=("objective",)))

    assert not edit_outcome.ruling.allowed
    assert "another genome than the one the gate judged" in edit_outcome.ruling.reason
    assert agent_run.learner.effective() == before.genome
    assert weights_hash(agent_run.learner.agent_state()) == weights_hash(before)


@pytest.mark.parametrize("edit", [Vandal(0, 1), Speechless(0, 1)])
def test_an_edit_that_fails_leaves_every_bit_as_it_was(agent_run, edit):
    before = weights_hash(agent_run.learner.agent_state())

    edit_outcome = consider(agent_run, edit)

    assert edit_outcome.ruling.reason.startswith("undone: ")
    assert weights_hash(agent_run.learner.agent_state()) == before


def test_a_change_made_in_place_does_not_hide_itself(agent_run):
    before = weights_hash(agent_run.learner.agent_state())

    edit_outcome = consider(agent_run, InPlace(0, 1))

    assert weights_hash(edit_outcome.before) == before != weights_hash(edit_outcome.after)
    assert edit_outcome.audit.finding == "false_claim"


def test_behaviour_that_cannot_be_compared_is_undone(agent_run):
    """An agent that was absent for a whole rollout has seen nothing to be compared on."""
    agent_run.learner._recent = agent_run.learner._recent[:0]

    assert consider(agent_run, Widen(0, 1)).ruling.reason.startswith("undone: ")


@pytest.mark.parametrize("asks", [-1e9, float("nan"), float("inf"), "free"])
def test_a_price_that_would_refill_the_budget_is_refused_and_not_charged(agent_run, asks):
    edit = Priced(0, 1, asks=asks)

    assert consider(agent_run, edit).ruling.reason.startswith("invalid: ")
    assert price(edit, agent_run.learner.agent_state().genome) == 0.0


def test_an_editor_is_not_changed_by_its_name(agent_run):
    reason = consider(agent_run, Successor(0, 1)).ruling.reason

    assert reason == "invalid: no edit can install editor 'fixed' in a running agent"


def test_a_rewrite_that_gives_no_genome_is_refused():
    class Wrong(Widen):
        def rewrite(self, genome):
            return None

    assert Gate().judge(Wrong(), Genome(), (10, 4), 0.0, 0).reason.startswith("invalid: ")


@pytest.mark.parametrize(
    "item",
    [
        {"edit": "widen", "layer": 7, "units": 8},
        {"edit": "widen", "layer": 0, "units": "x"},
        {"edit": "prune", "layer": 7},
        {"edit": "deepen", "after": 9},
        {"edit": "reset_dormant", "layer": 5, "units": [1]},
    ],
)
def test_a_plan_that_names_a_missing_layer_is_refused_and_the_run_goes_on(item):
    """Such an edit cannot say what it would have cost either."""
    notes = live(editor=schedule({"update": 2, **item}))

    (edited,) = notes.of(events.Edited)
    assert edited.reason.startswith("invalid: ")
    assert notes.of(events.TrialFinished)[0].updates == 8
