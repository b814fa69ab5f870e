"""Training return at the end of the training: over the last tenth of the compute spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import between, over_agents, stretches
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event

LAST = 0.1


@dataclass(frozen=True)
class FinalReturn(Metric):
    """The world's own reward, in the world as it was then, before any control changed the reward.

    Each update counts by its FLOPs. Several agents: their mean; n counts them. A population: the
    member that speaks for it.
    """

    unit: ClassVar[str] = "reward per episode"
    range: ClassVar[tuple[float, float]] = (-inf, inf)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where no episode ended in that time."""
        agent_runs = stretches(events).values()
        return over_agents(
            between(agent_run, (1 - LAST) * agent_run[-1].after, agent_run[-1].after)
            for agent_run in agent_runs
        )
