"""Loss of the true value by acting on the learned one."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.learned_values import ValueHistory, mean_over_agents
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class ValueRegret(Metric):
    """``(V* - V^believed) / (V* - V^random)``, exact, at the last measurement (probe ``values``).

    0 is the best policy's, 1 chance's, more is worse than chance. It is of the best policy for the
    belief, not of the agent's own.
    """

    unit: ClassVar[str] = "share of what chance loses"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where nothing is believed, or the world is too large to be solved."""

        def last(agent_run: ValueHistory) -> tuple[float, int] | None:
            found = agent_run.last("regret")
            return None if found is None else (max(found, 0.0), 1)

        return mean_over_agents(events, last)
