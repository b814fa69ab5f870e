"""Builds each env and agent once and lets it learn for one update: what will a trial cost?"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents import compute
from sandbox import loop
from sandbox.contract import Spec
from sandbox.events import Event
from sandbox.ledger import Receipt


@dataclass(frozen=True)
class Rehearsal:
    """What one update says about the whole trial, if the agent stays as it is born."""

    parameters: int
    updates: int
    flops: float  # of the trial
    seconds: float  # of the trial on this machine, one worker, probes left out


class _Deaf:
    """A clerk who keeps nothing."""

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
    import torch  # noqa: PLC0415  (planning a scenario without this is the common case)

    torch.set_num_threads(1)
    trial = loop.begin(spec, _Deaf())
    trial.population.update()  # the first one warms up
    since = time.perf_counter()
    reports = trial.population.update()
    seconds = time.perf_counter() - since
    steps = max(report.steps for report in reports.values())
    updates = math.ceil(trial.parts.learner.total_steps / steps)
    parameters = sum(
        compute.parameters(life.learner.effective(), *life.sizes()) for life in trial.lives.values()
    )
    flops = sum(report.flops for report in reports.values())
    return Rehearsal(parameters, updates, updates * flops, updates * seconds)
