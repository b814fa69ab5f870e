"""A proposal becomes a deed: judged, done to the live learner, read back, and ready to be recorded.

An agent's life, as the laboratory keeps it, is here too: what it needs to judge the next proposal.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from agents.behaviour import BehaviourChange, behaviour_change
from agents.contract import (
    Claim,
    Edit,
    Editor,
    Evidence,
    LiveEditor,
    LiveLearner,
    Mind,
    RefusedEditError,
)
from agents.genome import EditorGene, Genome
from sandbox.audit import Audit, audit
from sandbox.errors import one_line
from sandbox.gate import Gate, Ruling, price
from sandbox.ledger import canonical, digest
from sandbox.meter import Meter
from sandbox.signals import Signals

BEHAVIOUR_OBSERVATIONS = 1024
KEPT_MINDS = 64
"""Minds kept for undoing, the newest; older edits can no longer be undone by entry."""

Peers = Mapping[str, Callable[[], Mind]]


@dataclass
class Life:
    """One agent's life in the trial."""

    learner: LiveLearner
    editor: LiveEditor
    rng: np.random.Generator  # of its edits
    meter: Meter = field(default_factory=Meter)
    returns: list[float | None] = field(default_factory=list)
    edits: int = 0  # applied
    signals: Signals = field(default_factory=Signals)
    past: dict[int, Mind] = field(default_factory=dict)  # ledger entry -> the mind before it

    @property
    def flops(self) -> float:
        """Spent so far, everything included."""
        return self.meter.total

    def sizes(self) -> tuple[int, int]:
        """(observation size, actions)."""
        return self.learner.observation_size, self.learner.actions

    def effective(self) -> Genome:
        """The genome as read back from the live learner and the live editor."""
        found, settings = self.learner.effective(), self.editor.settings()
        return found if settings is None else replace(found, editor=gene(settings))

    def keep(self, entry: int, before: Mind) -> None:
        """Remember the mind before an edit, so that the edit can be undone."""
        self.past[entry] = before
        while len(self.past) > KEPT_MINDS:
            del self.past[min(self.past)]

    def before(self, entry: int) -> Mind:
        """The mind before an edit. Raises ``RefusedEditError`` where it is not kept."""
        if entry not in self.past:
            kept = f"{min(self.past)} to {max(self.past)}" if self.past else "none"
            raise RefusedEditError(f"entry {entry} cannot be undone: minds are kept of {kept}")
        return self.past[entry]


def gene(editor: Editor) -> EditorGene:
    """The gene of an editor of the shelf: its file's name and its settings."""
    name = type(editor).__module__.rpartition(".")[2]
    return EditorGene.of(name, asdict(editor))  # type: ignore[call-overload]


@dataclass(frozen=True)
class Deed:
    """A proposal and all that was measured when it was done, or why it was not."""

    agent: str
    edit: Edit
    ruling: Ruling
    before: Mind
    after: Mind
    claim: Claim | None = None
    audit: Audit | None = None
    behaviour: BehaviourChange | None = None

    @property
    def name(self) -> str:
        """The edit's name on the shelf."""
        return type(self.edit).__module__.rpartition(".")[2]

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
            "proposer": {**editor.to_json(), "state": digest(canonical(state))},
            "edit": self.name,
            "settings": self.settings,
            "part": self.edit.part,
            "applied": self.ruling.allowed,
            "reason": self.ruling.reason,
            "claim": asdict(self.claim) if self.claim else None,
            "read_back": dict(self.audit.read_back) if self.audit else None,
            "audit": self.audit.finding if self.audit else "",
            "behaviour": asdict(self.behaviour) if self.behaviour else None,
            "genome_before": self.before.genome.digest(),
            "genome_after": self.after.genome.digest(),
            "weights_before": weights_hash(self.before),
            "weights_after": weights_hash(self.after),
            "optimiser": _optimiser_change(self.before, self.after),
            "cost_flops": price(self.edit, self.before.genome),
        }


def consider(
    life: Life, name: str, edit: Edit, gate: Gate, flops: float, peers: Peers | None = None
) -> Deed:
    """Judge an edit; if it is allowed, apply it, and read back what it did to the live learner.

    An edit that raises, makes another genome than the gate judged, or leaves a mind that is not
    finite, is undone and recorded as rejected.
    """
    learner = life.learner
    before = learner.mind()
    ruling = gate.judge(edit, before.genome, life.sizes(), flops, life.edits)
    if not ruling.allowed:
        return Deed(name, edit, ruling, before, before)
    was, settings = life.effective(), life.editor.settings()
    try:
        claim = edit.claim(before.genome)
        change = _rewrite(life, edit, ruling.genome, peers or {})
    except Exception as error:  # noqa: BLE001  (whatever an edit does wrong, the agent lives on)
        learner.install(before)
        if settings is not None and life.editor.settings() != settings:
            life.editor.adopt(settings)
        reason = one_line(f"undone: {type(error).__name__}: {error}")
        return Deed(name, edit, Ruling(False, reason, before.genome), before, before)
    after = learner.mind()
    moved = weights_hash(before) != weights_hash(after)
    found = audit(claim, was, life.effective(), change.max_logit_change, moved)
    return Deed(name, edit, ruling, before, after, claim, found, change)


def _rewrite(life: Life, edit: Edit, judged: Genome, peers: Peers) -> BehaviourChange:
    """Apply an edit to a copy of the mind, install the outcome, and measure what it changed."""
    learner = life.learner
    seen = learner.recent_observations(BEHAVIOUR_OBSERVATIONS)
    was = learner.logits(seen), learner.values(seen)
    evidence = Evidence(learner.look(), life.before, peers)
    before = learner.mind()
    mind = edit.apply_seeing(before, life.rng, evidence)
    if mind.genome != judged:
        raise RefusedEditError("it made another genome than the one the gate judged")
    learner.install(mind)
    if mind.genome.editor != before.genome.editor:
        life.editor.adopt(_with_settings(life.editor, mind.genome.editor))
    change = behaviour_change(was[0], learner.logits(seen), was[1], learner.values(seen))
    if not all(map(math.isfinite, asdict(change).values())):
        raise FloatingPointError("the edited agent's behaviour is not finite")
    return change


def _with_settings(editor: LiveEditor, wanted: EditorGene) -> Editor:
    """The editor at work, under the settings of a gene. Raises ``RefusedEditError``."""
    now = editor.settings()
    if now is None or gene(now).name != wanted.name:
        raise RefusedEditError(f"no edit can put editor '{wanted.name}' to work in a living agent")
    try:
        return type(now)(**_tuples(wanted.settings))
    except (TypeError, ValueError) as error:
        raise RefusedEditError(f"editor '{wanted.name}': {error}") from error


def _tuples(settings: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists only; frozen parts hold tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}


def _optimiser_change(before: Mind, after: Mind) -> Mapping[str, int]:
    """How many parameters had optimiser state before, have it now, and carried theirs over."""
    return {
        "before": len(before.moments),
        "after": len(after.moments),
        "kept": len(set(before.moments) & set(after.moments)),
    }


def weights_hash(mind: Mind) -> str:
    """SHA-256 over names, shapes, types and bytes of all parameters and buffers."""
    found = hashlib.sha256()
    for group in (mind.parameters, mind.buffers):
        for name in sorted(group):
            array = np.ascontiguousarray(group[name])
            found.update(f"{name} {array.shape} {array.dtype}\n".encode())
            found.update(array.tobytes())
    return found.hexdigest()
