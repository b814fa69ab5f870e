"""Applied edits that changed nothing at all and did not say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import applied, counted
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event

SILENT = {"silent_no_op", "nothing"}


@dataclass(frozen=True)
class SilentNoOps(Metric):
    """Over the whole trial, a mean over agents; n counts all applied edits.

    The check of its claim calls it ``silent_no_op`` where the edit claimed a change, and
    ``nothing`` where it claimed none. An identity that claims to move no logit is neither.
    """

    unit: ClassVar[str] = "edits"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where no edit was applied."""
        found = applied(events)
        return counted(events, [each for each in found if each.audit in SILENT], found)
