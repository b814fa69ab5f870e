"""Held-out return in the env's own reward."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import mean_entry
from sandbox.contract import IN_DISTRIBUTION, Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class MeanReturn(Metric):
    """Raw mean at the last probe, on ``in_distribution``, the same for every arm.

    Several agents: their mean.
    """

    unit: ClassVar[str] = "reward per episode"
    range: ClassVar[tuple[float, float]] = (-inf, inf)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where nothing was probed."""
        return mean_entry(events, IN_DISTRIBUTION, "reward")
