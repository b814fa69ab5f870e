"""Whatever editor works on an agent, a proposal to touch a protected part is refused and recorded.

Every editor has a short run in which each edit of the part folder is replaced by one that
also rewrites the objective, and in which it proposes such a mischief at one update whatever it
wanted to: what it is answered then, and what it does next, is its own.
"""

import copy
from dataclasses import dataclass, replace

import numpy as np
import pytest

from agents.contract import Edit, RefusedEditError
from agents.edits.identity import Identity
from agents.genome import PARTS
from sandbox.catalogue import catalogue
from sandbox.gate.gate import Gate
from sandbox.record import events
from sandbox.trial import edit_step, loop
from sandbox.trial.fingerprints import copied, same_agent_state
from tests.sandbox.trial.test_loop import SPEC, Notes

EDITORS = catalogue().names("editors")
EDITS = catalogue().names("edits")
AT = 2  # the update after which mischief is proposed for sure


def bribed(genome):
    return replace(genome, objective=tuple((name, weight + 1) for name, weight in genome.objective))


@dataclass(frozen=True)
class Mischief(Identity):
    """Touches the objective and says that it touches something else."""

    def rewrite(self, genome):
        return bribed(genome)

    def apply(self, agent_state, rng):
        raise AssertionError("what was refused is never applied")


def corrupted(kind):
    """The edit of the part folder, which rewrites the objective besides."""

    def rewrite(self, genome):
        return bribed(kind.rewrite(self, genome))

    return type(kind.__name__, (kind,), {"rewrite": rewrite, "__module__": kind.__module__})


def an_agent_run(editor, protect):
    """The whole run of an agent whose editor has only mischief to propose."""
    spec = copy.deepcopy({**SPEC, "editor": {editor: {}}, "probes": {}})
    spec["learner"]["ppo"] |= {"total_steps": 16 * 16 * 5}
    spec["gate"]["protect"] = protect
    notes = Notes()
    trial = loop.begin(spec, notes)
    agent_run = trial.agent_runs["agent"]
    corrupt = {name: corrupted(kind) for name, kind in trial.parts.edits.items()}
    agent_run.editor = trial.parts.editor.start(corrupt, np.random.default_rng(0))
    propose = agent_run.editor.propose

    def hijacked(view):
        wanted = propose(view)
        return Mischief() if view.update == AT else wanted

    agent_run.editor.propose = hijacked
    wants = agent_run.editor.wants
    agent_run.editor.wants = lambda update: update == AT or wants(update)
    loop._start(trial, "x", None)
    while not trial.spent():
        loop._step(trial)
    return trial, notes


@pytest.mark.parametrize("editor", EDITORS)
@pytest.mark.parametrize("protect", [["objective"], []], ids=["said", "by default"])
def test_no_editor_gets_a_protected_part_changed(editor, protect):
    trial, notes = an_agent_run(editor, protect)
    initial = notes.of(events.TrialStarted)[0].genomes["agent"]["objective"]

    assert trial.agent_runs["agent"].learner.effective().to_json()["objective"] == initial
    proposals = [each for each in notes.entries() if each["kind"] == "proposal"]
    assert [each["update"] for each in proposals if each["edit"] == "test_protection"] == [AT]
    assert not [each for each in proposals if any(p.startswith("obj") for p in each["changed"])]
    assert all(each["applied"] or each["reason"] for each in proposals)
    (mine,) = [each for each in proposals if each["edit"] == "test_protection"]
    assert not mine["applied"]
    wanted = "protected: " if protect else "invalid: changes objective but says architecture"
    assert mine["reason"].startswith(wanted)
    assert len(notes.of(events.Edited)) == len(proposals)
    assert trial.update == 5, "and the agent went on"


@pytest.mark.parametrize("name", EDITS)
def test_no_edit_of_the_part_folder_touches_what_is_protected(name):
    """Each edit as an editor is offered it, held against the protection of its own part."""
    trial = loop.begin(copy.deepcopy({**SPEC, "editor": {"bandit": {}}, "probes": {}}), Notes())
    trial.population.update()
    agent_run = trial.agent_runs["agent"]
    kind = trial.parts.edits[name]
    before = copied(agent_run.learner.agent_state())
    for edit in kind.candidates(loop._view(trial, "agent")):
        assert refusal(agent_run, edit)
    assert same_agent_state(agent_run.learner.agent_state(), before)
    assert kind.undoes is not Edit.undoes or kind.part in PARTS


def refusal(agent_run, edit):
    try:
        after = edit.rewrite(agent_run.learner.agent_state().genome)
    except RefusedEditError:
        return "cannot be done at all"
    before = agent_run.learner.agent_state().genome
    parts = [part for part in PARTS if getattr(after, part) != getattr(before, part)]
    gate = Gate(protect=tuple({edit.part, *parts}), allow_objective=True)
    reason = edit_step.consider(agent_run, "agent", edit, gate, 0.0).ruling.reason
    return reason if reason.startswith(("protected: ", "invalid: ")) else ""
