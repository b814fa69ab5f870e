"""Whether a learned value drifts in one direction: net distance over length of path."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.learned_values import ValueHistory, mean_over_agents
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class ValuePathRatio(Metric):
    """1: it moves straight away from its baseline; near 0: it wanders, or returns."""

    unit: ClassVar[str] = "net drift / sum of steps"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "neutral"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where it has not moved at all."""

        def ratio(agent_run: ValueHistory) -> tuple[float, int] | None:
            net, steps = agent_run.last("net"), agent_run.steps()
            path = sum(steps)
            if net is None or not path:
                return None
            return min(net / path, 1.0), len(steps)  # above 1 it is rounding: triangle inequality

        return mean_over_agents(events, ratio)
