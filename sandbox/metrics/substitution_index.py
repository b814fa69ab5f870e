"""Share of an agent's actions that are for another agent rather than for itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.metric_base import FEWEST, UNMEASURED, last_probes
from sandbox.contract import IN_DISTRIBUTION, Measurement, Metric
from sandbox.record.events import Event

OTHER, SELF = "for_other", "for_self"


@dataclass(frozen=True)
class SubstitutionIndex(Metric):
    """Actions for another, of all actions for another or for oneself, at the last probe.

    ``for_other / (for_other + for_self)``, totals over held-out episodes and agents, in worlds that
    count both. As it stands it is a share; how far an agent's own objectives were replaced is its
    contrast with an arm of the same scenario that learns no values, whose share is what agents do
    for others incidentally.
    """

    unit: ClassVar[str] = "share of actions"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where the world counts no such actions, or fewer than 5 were done.

        n counts episodes.
        """
        found = last_probes(events, IN_DISTRIBUTION, OTHER)
        probes = [each for each in found if SELF in each.values]
        other = sum(each.values[OTHER] * each.n for each in probes)
        total = other + sum(each.values[SELF] * each.n for each in probes)
        if round(total) < FEWEST:  # of a mean and its n the count returns with rounding errors
            return UNMEASURED
        return Measurement(other / total, sum(each.n for each in probes))
