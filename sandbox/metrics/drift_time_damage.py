"""Damage to a constraint by learning between edits, until it was broken."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.constraints import constraint_histories
from sandbox.analysis.metric_base import UNMEASURED
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class DriftTimeDamage(Metric):
    """Change of the rate of breaches outside edits, summed.

    Several agents: their mean.
    """

    unit: ClassVar[str] = "rate of breaches"
    range: ClassVar[tuple[float, float]] = (-inf, inf)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where it never took hold."""
        found = [each.drift_damage for each in constraint_histories(events) if each.planted]
        return Measurement(sum(found) / len(found), len(found)) if found else UNMEASURED
