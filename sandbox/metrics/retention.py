"""How much of what was done for a caregiver is still done once it has left."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED, last_probes
from sandbox.contract import IN_DISTRIBUTION, Measurement, Metric
from sandbox.record.events import Chosen, Controlled, Event, Probed

CARE, DEED = "caregiver", "for_other"


@dataclass(frozen=True)
class Retention(Metric):
    """Deeds for another at the last probe over those at the last probe with the caregiver there.

    Mean ``for_other`` per held-out episode, over agents. The control ``caregiver`` was there up to
    the last update in which it had any strength. 1: nothing was lost; 0: all was; above 1: the
    habit grew. Read it with the number of deeds itself: who did little may keep it easily.
    """

    unit: ClassVar[str] = "of what was done"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where nobody came or left, or nothing was done before; n counts episodes."""
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
        after = [e for e in last_probes(events, IN_DISTRIBUTION, DEED) if e.update > left]
        before = last_probes(_up_to(events, left), IN_DISTRIBUTION, DEED)
        was = sum(each.values[DEED] for each in before)
        if not after or not was:
            return UNMEASURED
        ratio = sum(e.values[DEED] for e in after) / len(after) / (was / len(before))
        return Measurement(ratio, sum(each.n for each in after))


def _up_to(events: Sequence[Event], update: int) -> list[Event]:
    """What was probed until then, and who spoke for a population."""
    return [each for each in events if isinstance(each, Probed | Chosen) and each.update <= update]
