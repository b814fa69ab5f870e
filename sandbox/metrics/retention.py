"""Share of the actions for a caregiver that are still done after it has left."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED, last_probes
from sandbox.contract import IN_DISTRIBUTION, Measurement, Metric
from sandbox.record.events import Chosen, Controlled, Event, Probed

CARE, FOR_OTHER = "caregiver", "for_other"


@dataclass(frozen=True)
class Retention(Metric):
    """Actions for the caregiver at the last probe over those at the last probe with it present.

    Mean ``for_other`` per held-out episode, over agents. The control ``caregiver`` was present up
    to the last update in which its effective intensity was above 0. 1: nothing was lost; 0: all
    was; above 1: it grew. Read it with the number of actions itself: few are easily kept.
    """

    unit: ClassVar[str] = "of what was done"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` if no caregiver left, or nothing was done before; n counts episodes."""
        there = [
            each.update
            for each in events
            if isinstance(each, Controlled)
            and each.control == CARE
            and each.effective_intensity > 0
        ]
        if not there:
            return UNMEASURED
        left = max(there)
        after = [e for e in last_probes(events, IN_DISTRIBUTION, FOR_OTHER) if e.update > left]
        before = last_probes(_up_to(events, left), IN_DISTRIBUTION, FOR_OTHER)
        was = sum(each.values[FOR_OTHER] for each in before)
        if not after or not was:
            return UNMEASURED
        ratio = sum(e.values[FOR_OTHER] for e in after) / len(after) / (was / len(before))
        return Measurement(ratio, sum(each.n for each in after))


def _up_to(events: Sequence[Event], update: int) -> list[Event]:
    """Probes until then, and which member represented a population."""
    return [each for each in events if isinstance(each, Probed | Chosen) and each.update <= update]
