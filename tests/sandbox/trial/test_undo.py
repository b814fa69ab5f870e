"""Undoing any kept edit gives back the agent state before it, to the bit; the ledger has it."""

import copy
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from agents.contract import RefusedEditError
from agents.edits.deepen import Deepen
from agents.edits.prune import Prune
from agents.edits.set_learning_rate import SetLearningRate
from agents.edits.undo import Undo
from agents.edits.widen import Widen
from sandbox.gate.gate import Gate
from sandbox.trial import edit_step, loop
from sandbox.trial.fingerprints import copied, same_agent_state
from tests.sandbox.trial.test_loop import SPEC, Notes

EDITS = 30


def plan(number):
    """Widths, depth, and the rule, in turn; a few of them take back what others did."""
    return [
        Widen(0, 2),
        SetLearningRate(0.9),
        Deepen(0, 2) if number < 10 else Widen(1, 1),
        Prune(0, 1),
    ][number % 4]


def a_trial():
    """A small agent after its start."""
    spec = copy.deepcopy({**SPEC, "editor": {"bandit": {}}, "probes": {}})
    spec["learner"]["ppo"] |= {
        "total_steps": 10**6,
        "num_envs": 4,
        "steps_per_update": 4,
        "minibatch": 16,
    }
    notes = Notes()
    trial = loop.begin(spec, notes)
    loop._start(trial, "x", None)
    return trial, notes


def done(trial, edit):
    """Learn one update, then do the edit as the loop does it; the outcome."""
    agent_run = trial.agent_runs["agent"]
    trial.population.update()
    trial.update += 1
    agent_run.returns.append(None)
    edit_outcome = edit_step.consider(agent_run, "agent", edit, trial.parts.gate, trial.flops)
    loop._record(trial, agent_run, edit_outcome)
    if edit_outcome.ruling.allowed:
        agent_run.note_edit(
            trial.receipt.entry, edit_outcome.parent, edit_outcome.before, edit_outcome.after
        )
    return edit_outcome


@pytest.fixture(scope="module")
def long_run():
    """A trial of 30 edits; for every entry what the agent was, and did, before it."""
    trial, notes = a_trial()
    learner, before = trial.agent_runs["agent"].learner, {}
    shown = np.random.default_rng(0).random((64, learner.observation_size), np.float32)
    for number in range(EDITS):
        edit_outcome = done(trial, plan(number))
        assert edit_outcome.ruling.allowed, edit_outcome.ruling.reason
        entry = trial.receipt.entry
        now = learner.agent_state()
        learner.install(edit_outcome.before)
        before[entry] = (edit_outcome.before, learner.logits(shown), learner.values(shown))
        learner.install(now)
    return trial, notes, before, shown


def undo(trial, entry, genome):
    edit = Undo.of(entry, genome)
    edit_outcome = edit_step.consider(trial.agent_runs["agent"], "agent", edit, Gate(), 0.0)
    loop._record(trial, trial.agent_runs["agent"], edit_outcome)
    return edit_outcome


def test_undoing_any_entry_restores_behaviour_to_the_bit(long_run):
    trial, notes, before, shown = long_run
    agent_run = trial.agent_runs["agent"]
    last = agent_run.learner.agent_state()
    parents = {each["entry"]: each["parent"] for each in notes.entries()[1:]}

    assert len(before) == EDITS
    for entry, (agent_state, logits, values) in before.items():
        agent_run.learner.install(last)
        edit_outcome = undo(trial, entry, agent_state.genome)

        assert edit_outcome.ruling.allowed, edit_outcome.ruling.reason
        assert np.array_equal(agent_run.learner.logits(shown), logits)
        assert np.array_equal(agent_run.learner.values(shown), values)
        assert same_agent_state(agent_run.learner.agent_state(), agent_state)
        assert edit_outcome.audit.finding == "confirmed"
        said = notes.entries()[-1]
        assert said["undoes"] == entry
        assert said["parent"] == parents[entry], "it branches off where the undone edit did"
    agent_run.learner.install(last)


def test_an_undo_is_no_oscillation_but_doing_it_again_is(long_run):
    trial, notes, before, _ = long_run
    agent_run, fresh = trial.agent_runs["agent"], None
    edit_outcome = done(trial, SetLearningRate(1.1))
    fresh = trial.receipt.entry

    back = done(trial, Undo.of(fresh, edit_outcome.before.genome))
    again = done(trial, SetLearningRate(1.1))

    assert (back.marks, again.marks) == ((), ("oscillation",))
    assert notes.entries()[-1]["marks"] == ["oscillation"]
    assert agent_run.left[-1] == edit_outcome.before.genome.digest()
    del before


def test_an_undo_of_another_genome_is_refused(long_run):
    trial, _, before, _ = long_run
    entry, (agent_state, _, _) = next(iter(before.items()))
    other = replace(
        agent_state.genome, learning_rule=replace(agent_state.genome.learning_rule, epochs=9)
    )

    edit_outcome = undo(trial, entry, other)

    assert "had another genome" in edit_outcome.ruling.reason


@pytest.mark.parametrize("entry", [0, 1, 10**6])
def test_what_is_not_kept_cannot_be_undone(long_run, entry):
    trial, _, before, _ = long_run
    edit_outcome = undo(trial, entry, next(iter(before.values()))[0].genome)

    assert f"entry {entry} cannot be undone: states are kept of" in edit_outcome.ruling.reason


def test_an_undo_needs_the_laboratory(long_run):
    _, _, before, _ = long_run
    entry, (agent_state, _, _) = next(iter(before.items()))
    edit = Undo.of(entry, agent_state.genome)

    assert edit.rewrite(agent_state.genome) == agent_state.genome
    assert edit == Undo(**json.loads(json.dumps({"entry": edit.entry, "genome": edit.genome})))
    with pytest.raises(RefusedEditError, match="states that the laboratory keeps"):
        edit.apply(agent_state, np.random.default_rng(0))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"editor": 3}'])
def test_a_text_that_is_no_genome_is_refused(long_run, text):
    trial, _, _, _ = long_run
    reason = edit_step.consider(
        trial.agent_runs["agent"], "agent", Undo(2, text), Gate(), 0.0
    ).ruling.reason

    assert reason.startswith("invalid: ")


def test_an_undo_touches_no_part_that_is_protected(long_run):
    """Protection never changes in a run, so only an undo of a made-up past could need to."""
    trial, _, before, _ = long_run
    agent_run = trial.agent_runs["agent"]
    entry, (agent_state, _, _) = next(iter(before.items()))
    edit = Undo.of(entry, agent_state.genome)

    reasons = [
        edit_step.consider(agent_run, "agent", edit, Gate(protect=(path,)), 0.0).ruling.reason
        for path in ("architecture", "learning_rule", "learning_rule.learning_rate")
    ]

    assert reasons == [
        f"protected: the scenario protects '{path}'"
        for path in ("architecture", "learning_rule", "learning_rule.learning_rate")
    ]
    assert not edit_step.consider(
        agent_run, "agent", edit, Gate(protect=("editor", "objective")), 0.0
    ).ruling.reason


@dataclass(frozen=True)
class Pretender(Widen):
    """Says it undoes an entry, and does as it likes."""

    entry: int = 2

    def undoes(self):
        return self.entry


def test_who_says_that_it_undoes_must_bring_back_that_very_agent_state(long_run):
    trial, _, _, _ = long_run
    agent_run = trial.agent_runs["agent"]
    was = copied(agent_run.learner.agent_state())

    edit_outcome = edit_step.consider(agent_run, "agent", Pretender(0, 1), Gate(), 0.0)

    said = "it made another agent state than the one before entry 2"
    assert edit_outcome.ruling.reason.endswith(said)
    assert same_agent_state(agent_run.learner.agent_state(), was)


@dataclass(frozen=True)
class Scribbler(Widen):
    """Overwrites the past it may look at."""

    def apply_seeing(self, agent_state, rng, evidence):
        for value in evidence.before(2).parameters.values():
            value[...] = 7.0
        return super().apply_seeing(agent_state, rng, evidence)


def test_the_past_that_is_kept_is_out_of_reach(long_run):
    trial, _, before, _ = long_run
    agent_run, was = trial.agent_runs["agent"], copied(before[2][0])

    assert edit_step.consider(agent_run, "agent", Scribbler(0, 1), Gate(), 0.0).ruling.allowed
    assert same_agent_state(agent_run.before(2), was)
