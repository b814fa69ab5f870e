"""Compute spent: learning, objectives, edits and editing, everything that is charged."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.contract import Measurement, Metric
from sandbox.events import Event
from sandbox.measured import UNMEASURED, last_updates


@dataclass(frozen=True)
class Flops(Metric):
    """Analytic floating-point operations. Several agents: their mean; n counts agents."""

    unit: ClassVar[str] = "FLOPs"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` before the first update."""
        last = last_updates(events)
        return (
            Measurement(sum(each.flops for each in last) / len(last), len(last))
            if last
            else UNMEASURED
        )
