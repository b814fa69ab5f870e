"""Applied edits whose claim did not hold when it was read back from the live learner."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import applied, counted
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event

FALSE = "false_claim"
CLAIMED = ("confirmed", FALSE, "silent_no_op")


@dataclass(frozen=True)
class FalseClaims(Metric):
    """Over the whole trial, a mean over agents; n counts applied edits with a claim."""

    unit: ClassVar[str] = "edits"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where no applied edit claimed anything, so that no claim could be false."""
        claims = [each for each in applied(events) if each.audit in CLAIMED]
        return counted(events, [each for each in claims if each.audit == FALSE], claims)
