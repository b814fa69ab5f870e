"""Compute spent on editing instead of learning: proposals, the editor, its evaluations."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, inf
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED, chosen, last_updates
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event

EDITING = ("edits", "editor", "evaluation")


@dataclass(frozen=True)
class EditorFlops(Metric):
    """Sum of these categories of the meter. Several agents: their mean; n counts agents.

    Learning after an edit is not part of it. A population counts as one agent.
    """

    unit: ClassVar[str] = "FLOPs"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` before the first update, and in runs recorded without a meter."""
        last = [each for each in last_updates(events) if each.spent]
        if not last:
            return UNMEASURED
        agents = 1 if chosen(events) else len(last)
        spent = fsum(each.spent.get(name, 0.0) for each in last for name in EDITING)
        return Measurement(spent / agents, agents)
