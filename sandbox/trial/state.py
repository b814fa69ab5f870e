"""A trial under way, and what it hands its records to. It owns no file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from agents.contract import Population
from sandbox.contract import Spec
from sandbox.record.events import Event
from sandbox.record.ledger import Receipt
from sandbox.trial.agent_run import AgentRun
from sandbox.trial.build import Parts
from sandbox.trial.environment import TrialEnv
from sandbox.trial.recorder import Recorder, RecorderByMember, VisitedPlaces


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
