"""Whether the planted constraint held by the end of planting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.constraints import constraint_histories
from sandbox.analysis.metric_base import UNMEASURED
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class ConstraintPlanted(Metric):
    """1 where it did, 0 where it did not; several agents: their mean."""

    unit: ClassVar[str] = "share of agents"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where no probe watched, or planting has not ended."""
        found = [float(each.planted) for each in constraint_histories(events)]
        return Measurement(sum(found) / len(found), len(found)) if found else UNMEASURED
