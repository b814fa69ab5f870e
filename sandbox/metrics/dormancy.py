"""Share of units that no longer respond, at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED, chosen, last_updates
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class Dormancy(Metric):
    """Units whose mean activation is at most 0.025 of their layer's mean (Sokar et al. 2023).

    After the last update, over all layers. Several agents: their mean; n counts agents. Of a
    population: those of the member that speaks for it.
    """

    unit: ClassVar[str] = "share of units"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where the learner does not report ``dormant_share`` among its losses."""
        speaker = chosen(events)
        own = [each for each in last_updates(events) if speaker in ("", each.agent)]
        last = [each.losses.get("dormant_share") for each in own]
        found = [each for each in last if each is not None]
        return Measurement(sum(found) / len(found), len(found)) if found else UNMEASURED
