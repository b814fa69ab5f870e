"""How far pursuit of another agent's values explains an agent's behaviour."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.learned_values import ValueHistory, mean_over_agents
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class ValuePursuit(Metric):
    """Maximum entropy goal-directedness towards the hidden reward (MacDermott et al. 2024).

    Exact, of the policy at the end of the training (probe ``values`` with ``pursuit_every``).
    Fidelity measures knowing what another agent values; this measures acting for it. A policy that
    works against it scores, too.
    """

    unit: ClassVar[str] = "nats per step"
    range: ClassVar[tuple[float, float]] = (0.0, inf)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where it was not measured at the end."""

        def last(agent_run: ValueHistory) -> tuple[float, int] | None:
            found = agent_run.last("pursuit")
            return None if found is None else (found, 1)

        return mean_over_agents(events, last)
