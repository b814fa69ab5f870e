"""How much of the world the agent has been to in training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event, Updated


@dataclass(frozen=True)
class Coverage(Metric):
    """Exploration behind the glass: the share of places acted in at least once in the whole trial.

    By any copy of the world, whatever it was paid for; what a place is, the world says (a cell, in
    grids). Several agents: the one that has been furthest around.
    """

    unit: ClassVar[str] = "share of places"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where the world does not say where its agent is."""
        told = [
            each.truth["coverage"]
            for each in events
            if isinstance(each, Updated) and "coverage" in each.truth
        ]
        return Measurement(max(told), len(told)) if told else UNMEASURED
