"""Held-out return in the env's own reward on levels unlike those of training."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import mean_entry
from sandbox.contract import SHIFTED, Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class ShiftedReturn(Metric):
    """Raw mean at the last probe, on ``shifted``, the same for every arm.

    Several agents: their mean.
    """

    unit: ClassVar[str] = "reward per episode"
    range: ClassVar[tuple[float, float]] = (-inf, inf)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where the world has no shifted levels."""
        return mean_entry(events, SHIFTED, "reward")
