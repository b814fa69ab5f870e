"""How well an agent still knows what another agent values: 1 - EPIC to the ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.learned_values import ValueHistory, mean_over_agents
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class ValueFidelity(Metric):
    """At the last measurement (probe ``values``); unrelated beliefs have 0.293 on average."""

    unit: ClassVar[str] = "1 - EPIC"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where nothing is believed, or one thing of everything."""

        def last(agent_run: ValueHistory) -> tuple[float, int] | None:
            found = agent_run.last("fidelity")
            return None if found is None else (found, 1)

        return mean_over_agents(events, last)
