"""Applied edits that were taken back: by the two-gate guard, or undone by the editor."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import applied, counted
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Edited, Event, RolledBack

UNDOING = ("undo", "take_back")


@dataclass(frozen=True)
class Rollbacks(Metric):
    """Over the whole trial, a mean over agents; n counts all applied edits.

    One undo counts once, however many later edits it takes back with it. A population counts as
    one agent.
    """

    unit: ClassVar[str] = "rollbacks"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "neutral"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where no edit was applied, so that none could be taken back."""
        found = [each for each in events if isinstance(each, RolledBack) or _undoes(each)]
        return counted(events, found, applied(events))


def _undoes(event: Event) -> bool:
    return isinstance(event, Edited) and event.applied and event.edit in UNDOING
