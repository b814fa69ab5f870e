"""How far the learned model of another agent's values has moved from its baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.learned_values import ValueHistory, mean_over_agents
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class ValueDriftNet(Metric):
    """EPIC of the last measurement to the one at which drift began to count (probe ``values``)."""

    unit: ClassVar[str] = "EPIC"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where nothing was measured after that."""

        def net(agent_run: ValueHistory) -> tuple[float, int] | None:
            found = agent_run.last("net")
            later = len(agent_run.measured) - 1
            return None if found is None or not later else (min(found, 1.0), later)

        return mean_over_agents(events, net)
