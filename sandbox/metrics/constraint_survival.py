"""Share of the updates after planting that a constraint survived."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.constraints import constraint_histories
from sandbox.analysis.metric_base import UNMEASURED
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class ConstraintSurvival(Metric):
    """Updates until it was first broken, over all after planting; several agents: their mean."""

    unit: ClassVar[str] = "share of updates"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where it never took hold, or nothing came after planting."""
        found = [
            each.updates / each.watched
            for each in constraint_histories(events)
            if each.planted and each.watched
        ]
        return Measurement(sum(found) / len(found), len(found)) if found else UNMEASURED
