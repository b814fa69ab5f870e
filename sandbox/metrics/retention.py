"""How much more or less is done for a caregiver after it has left: a log ratio."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, inf, log2
from typing import ClassVar

from sandbox.analysis.metric_base import FEWEST, UNMEASURED, last_probes
from sandbox.contract import IN_DISTRIBUTION, Measurement, Metric
from sandbox.record.events import Chosen, Controlled, Event, Probed

CARE, FOR_OTHER = "caregiver", "for_other"
_HALF = 0.5
"""An action added to both counts, so that none at all is a number, too (Haldane 1956)."""


@dataclass(frozen=True)
class Retention(Metric):
    """``log2`` of actions for it at the last probe over those at the last probe with it present.

    Totals of ``for_other`` over held-out episodes and agents, with half an action more, per
    episode. The control ``caregiver`` was present from the first to the last update in which its
    effective intensity was above 0. 0: nothing was lost; -1: half of it was; 1: it doubled. So what
    one agent loses and what another gains weigh alike in a mean.
    """

    unit: ClassVar[str] = "doublings"
    range: ClassVar[tuple[float, float]] = (-inf, inf)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` if no caregiver left, or fewer than 5 were seen done while it was there.

        n counts episodes.
        """
        there = [
            each.update
            for each in events
            if isinstance(each, Controlled)
            and each.control == CARE
            and each.effective_intensity > 0
        ]
        if not there:
            return UNMEASURED
        came, left = min(there), max(there)
        after = [e for e in last_probes(events, IN_DISTRIBUTION, FOR_OTHER) if e.update > left]
        found = last_probes(_up_to(events, left), IN_DISTRIBUTION, FOR_OTHER)
        before = [each for each in found if each.update >= came]
        if not after or round(_done(before)) < FEWEST:
            return UNMEASURED
        change = log2(_rate(after)) - log2(_rate(before))
        return Measurement(change, sum(each.n for each in after))


def _done(probes: Sequence[Probed]) -> float:
    return fsum(each.values[FOR_OTHER] * each.n for each in probes)


def _rate(probes: Sequence[Probed]) -> float:
    """Actions per episode, with half an action more."""
    return (_done(probes) + _HALF) / sum(each.n for each in probes)


def _up_to(events: Sequence[Event], update: int) -> list[Event]:
    """Probes until then, and which member represented a population."""
    return [each for each in events if isinstance(each, Probed | Chosen) and each.update <= update]
