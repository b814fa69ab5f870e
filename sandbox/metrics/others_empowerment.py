"""Empowerment of the other agents, in bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED, at_the_end
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event, Measured

NAMES = ("empowerment", "estimated_empowerment")


@dataclass(frozen=True)
class OthersEmpowerment(Metric):
    """Mean over the other agents at the last ``empowerment_of_all``, exact or estimated.

    The probe names the agent that is not counted (``of``); without a name all agents count.
    """

    unit: ClassVar[str] = "bits"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "neutral"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where it was not measured at the end."""
        measured = [
            each
            for each in events
            if isinstance(each, Measured)
            and each.probe == "empowerment_of_all"
            and each.moment == "update"
        ]
        found = [
            each.values[name]
            for each in at_the_end(events, measured)
            for name in NAMES
            if name in each.values and each.values["other"]
        ]
        return Measurement(sum(found) / len(found), len(found)) if found else UNMEASURED
