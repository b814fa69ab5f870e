"""Size of the agent's network at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED, chosen
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Edited, Event, RolledBack, Updated


@dataclass(frozen=True)
class Parameters(Metric):
    """After the last update or edit. Several agents: their mean; n counts agents.

    Of a population: those of the member that speaks for it.
    """

    unit: ClassVar[str] = "parameters"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "neutral"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` before the first update."""
        speaker = chosen(events)
        last = {
            each.agent: each.parameters
            for each in events
            if isinstance(each, Updated | Edited | RolledBack) and speaker in ("", each.agent)
        }
        return Measurement(sum(last.values()) / len(last), len(last)) if last else UNMEASURED
