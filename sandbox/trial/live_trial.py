"""A trial under way: its agents with their accounts and past, and what it hands its records to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from agents.arrays import Array
from agents.contract import (
    AgentState,
    Editor,
    LiveEditor,
    LiveLearner,
    Population,
    RefusedEditError,
    UpdateReport,
)
from agents.genome import EditorGene, Genome
from agents.part_settings import tuples
from sandbox.contract import Spec
from sandbox.gate.budget import Meter
from sandbox.gate.gate import Past
from sandbox.gate.two_gate import Probation
from sandbox.record.events import Event
from sandbox.record.ledger import Receipt
from sandbox.trial.build import Parts
from sandbox.trial.environment import TrialEnv
from sandbox.trial.fingerprints import copied
from sandbox.trial.recorder import Recorder, RecorderByMember, VisitedPlaces

OBSERVATIONS = 1024
MEMORY = 0.9
"""Share of the old running mean and variance that an update keeps."""


@dataclass
class Signals:
    """An agent's curves so far; ``novelty`` rises when the world shows something else.

    Novelty of a rollout is the mean over features of (its mean - running mean)^2 / running
    variance, before the running numbers take the rollout in; 0 for the first rollout. Features that
    never varied count where they move: the variance is at least 1e-4.
    """

    curves: dict[str, list[float | None]] = field(default_factory=dict)
    updates: int = 0
    _mean: Array | None = None
    _variance: Array | None = None

    def note(self, report: UpdateReport, learner: LiveLearner) -> None:
        """Take in one update."""
        found: dict[str, float] = dict(report.losses)
        found["novelty"] = self._novelty(learner.recent_observations(OBSERVATIONS))
        for name in {**self.curves, **found}:
            curve = self.curves.setdefault(name, [None] * self.updates)
            curve.append(found.get(name))
        self.updates += 1

    def so_far(self) -> dict[str, tuple[float | None, ...]]:
        """Every curve, one number an update, ``None`` where an update had none."""
        return {name: tuple(curve) for name, curve in self.curves.items()}

    def _novelty(self, seen: Array) -> float:
        if not len(seen):
            return 0.0
        mean = seen.mean(0, dtype=np.float64)
        variance = seen.var(0, dtype=np.float64, mean=mean[None])
        if self._mean is None or self._variance is None:
            self._mean, self._variance = mean, variance
            return 0.0
        distance = float(((mean - self._mean) ** 2 / np.maximum(self._variance, 1e-4)).mean())
        self._mean = MEMORY * self._mean + (1 - MEMORY) * mean
        self._variance = MEMORY * self._variance + (1 - MEMORY) * variance
        return distance


KEPT_AGENT_STATES = 64
"""Newest agent states kept for undoing; older edits can no longer be undone by entry."""


@dataclass
class AgentRun:
    """One agent's run in the trial."""

    learner: LiveLearner
    editor: LiveEditor
    rng: np.random.Generator  # of its edits
    meter: Meter = field(default_factory=Meter)
    returns: list[float | None] = field(default_factory=list)
    edits: int = 0  # applied
    signals: Signals = field(default_factory=Signals)
    past: dict[int, AgentState] = field(default_factory=dict)  # ledger entry -> the state before it
    entry: int = 0  # line of the ledger that this agent state descends from
    parents: dict[int, int] = field(default_factory=dict)  # applied entry -> the one before it
    applied: list[int] = field(default_factory=list)  # update of each applied edit
    left: list[str] = field(default_factory=list)  # digest of the genome that each of them left
    version: int = 0  # how often its editor was rewritten
    probation: Probation | None = None
    canaries: Mapping[str, Any] = field(default_factory=dict)

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
        return found if settings is None else replace(found, editor=settings.gene())

    def since(self, undoes: int | None) -> Past:
        """What the gate has to know to judge an edit that undoes this entry, or none."""
        on_probation = self.probation.entry if self.probation else 0
        return Past(len(self.returns), tuple(self.applied), tuple(self.left), on_probation, undoes)

    def note_edit(self, entry: int, parent: int, before: AgentState, after: AgentState) -> None:
        """Note an applied edit under its line of the ledger, so that it can be undone."""
        self.edits += 1
        self.applied.append(len(self.returns))
        self.moved_on(entry, parent, before.genome)
        self.version += before.genome.editor != after.genome.editor
        self.past[entry] = before
        while len(self.past) > KEPT_AGENT_STATES:
            del self.past[min(self.past)]

    def moved_on(self, entry: int, parent: int, left: Genome) -> None:
        """Descend from ``entry``, itself a child of ``parent``, from now on."""
        self.left.append(left.digest())
        self.parents[entry], self.entry = parent, entry

    def before(self, entry: int) -> AgentState:
        """A copy of the agent state before an edit. ``RefusedEditError`` where it is not kept."""
        if entry not in self.past:
            kept = f"{min(self.past)} to {max(self.past)}" if self.past else "none"
            raise RefusedEditError(f"entry {entry} cannot be undone: states are kept of {kept}")
        return copied(self.past[entry])

    def become(self, agent_state: AgentState) -> None:
        """Install an earlier state of this agent, its editor's settings included."""
        self.learner.install(agent_state)
        settings = self.editor.settings()
        if settings is not None and settings.gene() != agent_state.genome.editor:
            self.editor.adopt(with_settings(self.editor, agent_state.genome.editor))


def with_settings(editor: LiveEditor, wanted: EditorGene) -> Editor:
    """The live editor with the settings of a gene. Raises ``RefusedEditError``."""
    now = editor.settings()
    if now is None or now.gene().name != wanted.name:
        raise RefusedEditError(f"no edit can install editor '{wanted.name}' in a running agent")
    try:
        return type(now)(**tuples(wanted.settings))
    except (TypeError, ValueError) as error:
        raise RefusedEditError(f"editor '{wanted.name}': {error}") from error


# --- the trial ----------------------------------------------------------------------------------


class TrialRecorder(Protocol):
    """Keeps the records of one trial, outside the process that trains."""

    def event(self, event: Event) -> None:
        """Record an event."""

    def ledger(self, body: Mapping[str, Any]) -> Receipt:
        """Record a ledger entry; it is on the disk when this returns."""

    def weights(self, update: int, agent: str, state: Mapping[str, Any], tensors: bytes) -> str:
        """Keep a checkpoint; returns the SHA-256 of its tensors."""

    def beat(self) -> None:
        """Say that the trial is alive."""


@dataclass
class LiveTrial:
    """A trial under way."""

    spec: Spec
    trial_recorder: TrialRecorder
    parts: Parts
    place: TrialEnv
    population: Population
    agent_runs: Mapping[str, AgentRun]
    recorder: Recorder | RecorderByMember
    visited_places: VisitedPlaces
    update: int = 0
    steps: int = 0
    receipt: Receipt = field(default_factory=lambda: Receipt(0, ""))

    @property
    def flops(self) -> float:
        """Spent so far by all agents, on everything that a ``Meter`` knows."""
        return sum(agent_run.flops for agent_run in self.agent_runs.values())

    def flops_left(self) -> float:
        """Until the gate's budget in force is spent."""
        return self.parts.gate.budget.left(self.flops)

    def spent(self) -> bool:
        """Is the budget of steps or FLOPs used up?"""
        return self.steps >= self.parts.learner.total_steps or self.flops_left() <= 0
