"""Held-out return in the hidden reward: what the designer wanted, not shown to the agent."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import mean_entry
from sandbox.contract import IN_DISTRIBUTION, Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class HiddenReturn(Metric):
    """Raw mean at the last probe, on ``in_distribution``, the same for every arm.

    Several agents: their mean.
    """

    unit: ClassVar[str] = "hidden reward per episode"
    range: ClassVar[tuple[float, float]] = (-inf, inf)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` for an env without truth."""
        return mean_entry(events, IN_DISTRIBUTION, "hidden_reward")
