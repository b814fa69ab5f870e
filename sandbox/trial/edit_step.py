"""Turns a proposal into an edit outcome: judged, applied, read back, ready to record."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from agents.behaviour import BehaviourChange, behaviour_change
from agents.contract import (
    AgentState,
    Edit,
    EditClaim,
    EditEvidence,
    RefusedEditError,
)
from agents.genome import Genome
from sandbox.errors import one_line
from sandbox.gate.gate import Gate, Ruling, name_of, price, undone_by
from sandbox.gate.protection import changed
from sandbox.record.differences import Path
from sandbox.record.ledger import canonical, digest
from sandbox.trial.fingerprints import optimiser_change, same_agent_state, size, weights_hash
from sandbox.trial.live_trial import AgentRun, with_settings

BEHAVIOUR_OBSERVATIONS = 1024
Peers = Mapping[str, Callable[[], AgentState]]
Measure = Callable[[], float]
"""Lets the agent play and returns its held-out return."""


@dataclass(frozen=True)
class Audit:
    """What an independent look at the live learner found."""

    finding: str  # confirmed | false_claim | silent_no_op | nothing
    read_back: Mapping[str, Any]  # each claimed path -> the value found there


@dataclass(frozen=True)
class EditOutcome:
    """A proposal and all that was measured when it was done, or why it was not."""

    agent: str
    edit: Edit
    ruling: Ruling
    before: AgentState
    after: AgentState
    claim: EditClaim | None = None
    audit: Audit | None = None
    behaviour: BehaviourChange | None = None
    parent: int = 0  # line of the ledger that the new agent state descends from
    undoes: int | None = None
    marks: tuple[str, ...] = ()
    version: int = 0  # of the editor that proposed it
    held_out: float | None = None  # return before it, where a two-gate guard wants to know
    cost: float = 0.0  # FLOPs charged for it, applied or not

    @property
    def name(self) -> str:
        """The edit's name: that of its file."""
        return name_of(self.edit)

    @cached_property
    def changed(self) -> tuple[Path, ...]:
        """Paths into the genome whose values it changed."""
        return changed(self.before.genome, self.after.genome)

    @property
    def part(self) -> str:
        """The part it declares; of an undo, the first that it changed."""
        return self.changed[0][0] if self.changed and self.undoes is not None else self.edit.part

    @property
    def settings(self) -> dict[str, Any]:
        """The edit's settings, JSON values."""
        return asdict(self.edit)  # type: ignore[call-overload, no-any-return]

    def entry(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """The ledger's account of it; ``state`` is the proposer's, after it proposed."""
        editor = self.before.genome.editor
        return {
            "kind": "proposal",
            "agent": self.agent,
            "proposer": {
                **editor.to_json(),
                "version": self.version,
                "state": digest(canonical(state)),
            },
            "edit": self.name,
            "settings": self.settings,
            "part": self.part,
            "parent": self.parent,
            "undoes": self.undoes,
            "applied": self.ruling.allowed,
            "reason": self.ruling.reason,
            "marks": list(self.marks),
            "claim": asdict(self.claim) if self.claim else None,
            "read_back": dict(self.audit.read_back) if self.audit else None,
            "audit": self.audit.finding if self.audit else "",
            "behaviour": asdict(self.behaviour) if self.behaviour else None,
            "held_out": self.held_out,
            "changed": [".".join(path) for path in self.changed],
            "genome_before": self.before.genome.digest(),
            "genome_after": self.after.genome.digest(),
            "weights_before": weights_hash(self.before),
            "weights_after": weights_hash(self.after),
            "optimiser": optimiser_change(self.before, self.after),
            "parameters": {"before": size(self.before), "after": size(self.after)},
            "cost_flops": self.cost,
        }


def consider(
    agent_run: AgentRun,
    name: str,
    edit: Edit,
    gate: Gate,
    flops: float,
    *,
    peers: Peers | None = None,
    measure: Measure | None = None,
) -> EditOutcome:
    """Judge an edit; if it is allowed, apply it, and read back what it did to the live learner.

    An edit that raises, makes another genome than the gate judged, restores another agent state
    than the one it says, or leaves one that is not finite, is undone and recorded as rejected.
    ``measure`` is called once, before an allowed edit that is no undo.
    """
    learner, undoes = agent_run.learner, undone_by(edit)
    before, past = learner.agent_state(), agent_run.since(undoes)
    ruling = gate.judge(edit, before.genome, agent_run.sizes(), flops, agent_run.edits, past=past)
    parent = agent_run.entry if undoes is None else agent_run.parents.get(undoes, agent_run.entry)
    edit_outcome = EditOutcome(
        name,
        edit,
        ruling,
        before,
        before,
        parent=parent,
        undoes=undoes,
        version=agent_run.version,
        cost=price(edit, before.genome),
    )
    if not ruling.allowed:
        return edit_outcome
    held_out = measure() if measure and undoes is None else None
    was = agent_run.effective()
    try:
        claim = edit.claim(before.genome)
        change = _apply(agent_run, edit, ruling.genome, peers or {}, undoes)
    except Exception as error:  # noqa: BLE001  (whatever an edit does wrong, the run continues)
        agent_run.become(before)
        reason = one_line(f"undone: {type(error).__name__}: {error}")
        return replace(edit_outcome, ruling=Ruling(False, reason, before.genome))
    after = learner.agent_state()
    moved = not same_agent_state(before, after)
    return replace(
        edit_outcome,
        after=after,
        claim=claim,
        audit=audit(claim, was, agent_run.effective(), change.max_logit_change, moved),
        behaviour=change,
        marks=gate.marks(before.genome, after.genome, past),
        held_out=held_out,
    )


def _apply(
    agent_run: AgentRun, edit: Edit, judged: Genome, peers: Peers, undoes: int | None
) -> BehaviourChange:
    """Apply an edit to a copy of the agent state, install it, and measure what it changed."""
    learner = agent_run.learner
    seen = learner.recent_observations(BEHAVIOUR_OBSERVATIONS)
    was = learner.logits(seen), learner.values(seen)
    evidence = EditEvidence(learner.look(), agent_run.before, peers, agent_run.canaries)
    before = learner.agent_state()
    agent_state = edit.apply_seeing(before, agent_run.rng, evidence)
    if agent_state.genome != judged:
        raise RefusedEditError("it made another genome than the one the gate judged")
    if undoes is None and "objective" not in (edit.part, *edit.also):
        _leaves_values(before, agent_state, edit.part)
    if undoes is not None and not same_agent_state(agent_state, agent_run.before(undoes)):
        raise RefusedEditError(f"it made another agent state than the one before entry {undoes}")
    learner.install(agent_state)
    if agent_state.genome.editor != before.genome.editor:
        agent_run.editor.adopt(with_settings(agent_run.editor, agent_state.genome.editor))
    now = learner.logits(seen), learner.values(seen)
    change = behaviour_change(was[0], now[0], was[1], now[1], learner.divergence)
    if not all(map(math.isfinite, asdict(change).values())):
        raise FloatingPointError("the edited agent's behaviour is not finite")
    return change


def _leaves_values(before: AgentState, after: AgentState, said: str) -> None:
    """What an agent has learned of others' values is not in its genome, which the gate judges."""
    for name, each in after.values.items():
        if not np.array_equal(each, before.values.get(name, each)):
            raise RefusedEditError(f"changes values {name}, part of its objective, but says {said}")


# --- the claim -----------------------------------------------------------------------------------


def audit(
    claim: EditClaim, before: Genome, after: Genome, max_logit_change: float, moved: bool
) -> Audit:
    """Compare a claim with the learner's *effective* genomes and its measured behaviour.

    ``moved``: whether any weight or any of the optimiser's state differs.

    - ``confirmed``: all that was claimed is there.
    - ``silent_no_op``: a change was claimed, and neither genome nor agent state differ.
    - ``false_claim``: anything else that does not hold.
    - ``nothing``: nothing was claimed, and nothing differs. (To leave every logit where it was is a
      claim, ``max_logit_change=0``: the identity edit is confirmed.)
    """
    found = {path: _at(after.to_json(), path) for path in claim.changes}
    holds = all(_same(found[path], value) for path, value in claim.changes.items())
    within = claim.max_logit_change is None or max_logit_change <= claim.max_logit_change
    idle = before == after and not moved
    if not holds or not within:
        return Audit("silent_no_op" if idle and not holds else "false_claim", found)
    claims = bool(claim.changes) or claim.max_logit_change is not None
    return Audit("nothing" if idle and not claims else "confirmed", found)


def _at(data: Any, path: str) -> Any:
    for key in path.split("."):
        try:
            data = data[int(key)] if isinstance(data, list | tuple) else data[key]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return data


def _same(found: Any, claimed: Any) -> bool:
    if isinstance(found, float) and isinstance(claimed, int | float):
        return abs(found - claimed) <= 1e-9 * max(1.0, abs(claimed))
    if isinstance(found, Mapping) and isinstance(claimed, Mapping):
        return found.keys() == claimed.keys() and all(_same(found[k], claimed[k]) for k in found)
    if isinstance(found, list | tuple) and isinstance(claimed, list | tuple):
        return len(found) == len(claimed) and all(map(_same, found, claimed))
    return bool(found == claimed)
