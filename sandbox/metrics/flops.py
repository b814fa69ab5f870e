"""Compute spent: learning, objectives, edits and editing, everything that is charged."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED, chosen, last_updates
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class Flops(Metric):
    """Analytic floating-point operations. Several agents: their mean; n counts agents.

    A population is one agent: its members' FLOPs are added up.
    """

    unit: ClassVar[str] = "FLOPs"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` before the first update."""
        last = last_updates(events)
        if not last:
            return UNMEASURED
        agents = 1 if chosen(events) else len(last)
        return Measurement(sum(each.flops for each in last) / agents, agents)
