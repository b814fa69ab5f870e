"""Applied edits whose claim did not hold when it was read back from the live learner."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import counted, edits
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class FalseClaims(Metric):
    """Over the whole trial, a mean over agents; n counts all proposals."""

    unit: ClassVar[str] = "edits"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` only before the trial has started."""
        return counted(events, [each for each in edits(events) if each.audit == "false_claim"])
