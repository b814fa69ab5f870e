"""Updates that were done."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event, Updated


@dataclass(frozen=True)
class UpdatesDone(Metric):
    """Over the whole trial, by all agents together."""

    unit: ClassVar[str] = "updates"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "neutral"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` before the first."""
        done = [each for each in events if isinstance(each, Updated)]
        return Measurement(float(len(done)) if done else None, len(done))
