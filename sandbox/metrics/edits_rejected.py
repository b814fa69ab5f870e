"""Edits that the gate rejected, or that failed and were undone."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import counted, edits
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class EditsRejected(Metric):
    """Over the whole trial. Several agents: their mean."""

    unit: ClassVar[str] = "edits"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "neutral"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` only before the trial has started."""
        return counted(events, [each for each in edits(events) if not each.applied])
