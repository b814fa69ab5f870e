"""Training return over the whole run, by compute: learning and searching included."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sandbox.analysis.metric_base import between, over_agents, stretches
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class LifetimeReturn(Metric):
    """Area under the curve of training return over FLOPs, divided by the FLOPs.

    The reward of the world, whatever the objectives are and whatever a control made of the reward.
    Updates in which no episode ended do not count. Several agents: their mean; n counts them.
    """

    unit: ClassVar[str] = "reward per episode"
    range: ClassVar[tuple[float, float]] = (-inf, inf)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where no episode ended."""
        return over_agents(between(agent_run, 0.0, inf) for agent_run in stretches(events).values())
