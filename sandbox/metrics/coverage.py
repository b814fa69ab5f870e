"""Share of the world's places that the agent visited in training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event, Updated


@dataclass(frozen=True)
class Coverage(Metric):
    """Exploration by ground truth: share of places acted in at least once in the whole trial.

    By any copy of the world, for any objective; the world defines what a place is (in grids, a
    cell). Several agents: the one that visited most.
    """

    unit: ClassVar[str] = "share of places"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where the world does not say where its agent is."""
        found = [
            each.truth["coverage"]
            for each in events
            if isinstance(each, Updated) and "coverage" in each.truth
        ]
        return Measurement(max(found), len(found)) if found else UNMEASURED
