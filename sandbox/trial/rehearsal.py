"""Builds each env and agent once and lets it learn for one update: what will a trial cost?"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.contract import Spec
from sandbox.record.events import Event
from sandbox.record.ledger import Receipt
from sandbox.seeding import trial_streams
from sandbox.trial import loop
from sandbox.trial.evaluation import LiveSubject
from sandbox.trial.live_trial import LiveTrial
from sandbox.trial.population import is_population, steps_taken


@dataclass(frozen=True)
class Rehearsal:
    """What one update says about the whole trial, if the agent keeps its initial size."""

    parameters: int
    updates: int
    flops: float  # of the trial
    start_seconds: float  # to build it, on this machine; the first one in a process is the slowest
    seconds: float  # of the trial after that: learning, and all its probes


class NullRecorder:
    """A recorder that keeps nothing."""

    def event(self, event: Event) -> None:
        """Keep nothing."""

    def ledger(self, body: Mapping[str, Any]) -> Receipt:
        """Keep nothing."""
        del body
        return Receipt(0, "")

    def weights(self, update: int, agent: str, state: Mapping[str, Any], tensors: bytes) -> str:
        """Keep nothing."""
        del update, agent, state, tensors
        return ""

    def beat(self) -> None:
        """Keep nothing."""


def rehearse(spec: Spec) -> Rehearsal:
    """Rehearse a trial. Raises ``InputError`` or ``TrialError`` where it could not even start."""
    import stable_baselines3  # noqa: F401, PLC0415  (trials find it loaded; it is slow to load)
    import torch  # noqa: PLC0415

    torch.set_num_threads(1)
    begun = time.perf_counter()
    trial = loop.begin(spec, NullRecorder())
    built = time.perf_counter()
    trial.population.update()  # the first one warms up
    since = time.perf_counter()
    reports = trial.population.update()
    seconds = time.perf_counter() - since
    steps = steps_taken(trial.place.agents, reports)
    updates = math.ceil(trial.parts.learner.total_steps / steps)
    parameters = sum(agent_run.learner.parameters() for agent_run in trial.agent_runs.values())
    each = sum(report.flops for report in reports.values())
    budget = trial.parts.gate.budget.end
    if budget < updates * each:  # it ends by FLOPs, not by steps
        updates = math.ceil(budget / each)
    flops = updates * each
    probes = _probe_seconds(trial, updates)
    return Rehearsal(parameters, updates, flops, built - begun, updates * seconds + probes)


def _probe_seconds(trial: LiveTrial, updates: int) -> float:
    """Of all the probes of a whole trial, by one measurement with each of them."""
    learners = {name: agent_run.learner for name, agent_run in trial.agent_runs.items()}
    population = is_population(trial.place.agents, learners)
    speaker = next(iter(learners)) if population else ""
    seconds = 0.0
    for probe in trial.parts.probes.values():
        due = sum(probe.due(update) for update in range(updates)) + 1  # the last one always is
        since = time.perf_counter()
        streams = trial_streams(trial.spec)
        probe.measure(LiveSubject(0, 0, trial.place, learners, streams, speaker))
        seconds += due * (time.perf_counter() - since)
    return seconds
