"""Gain in training return from start to end, per GFLOP charged."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import Stretch, between, over_agents, stretches
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event

ENDS = 0.1
GIGA = 1e9


@dataclass(frozen=True)
class ReturnPerFlop(Metric):
    """Mean return over the last tenth of the FLOPs less that over the first, by all FLOPs spent.

    In the world's own reward, before any control changed it. Several agents: their mean; n counts
    them. A run that starts at its best gains nothing.
    """

    unit: ClassVar[str] = "reward per episode and GFLOP"
    range: ClassVar[tuple[float, float]] = (-inf, inf)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where no episode ended at one of the two ends."""
        return over_agents(map(_gain, stretches(events).values()))


def _gain(agent_run: Sequence[Stretch]) -> float | None:
    whole = agent_run[-1].after
    first, last = (
        between(agent_run, 0.0, ENDS * whole),
        between(agent_run, (1 - ENDS) * whole, whole),
    )
    return None if first is None or last is None else (last - first) / whole * GIGA
