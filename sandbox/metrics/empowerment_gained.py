"""Mean empowerment of the states the agent visits, less that of a random policy's states."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED, at_the_end
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event, Measured


@dataclass(frozen=True)
class EmpowermentGained(Metric):
    """Bits of the last ``empowerment_map``: exact, mean over the steps of held-out episodes.

    Several agents: their mean; of a population, the member that speaks for it.
    """

    unit: ClassVar[str] = "bits"
    range: ClassVar[tuple[float, float]] = (-inf, inf)
    direction = "neutral"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where no map was measured at the end."""
        maps = [
            each
            for each in events
            if isinstance(each, Measured)
            and each.probe == "empowerment_map"
            and each.moment == "update"
        ]
        last = [each.values for each in at_the_end(events, maps)]
        found = [each["empowerment"] - each["random"] for each in last]
        return Measurement(sum(found) / len(found), len(found)) if found else UNMEASURED
