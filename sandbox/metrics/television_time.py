"""Share of steps that the agent spends zapping, in a world with a television."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED, last_probes
from sandbox.contract import IN_DISTRIBUTION, Measurement, Metric
from sandbox.record.events import Event


@dataclass(frozen=True)
class TelevisionTime(Metric):
    """Uses of the remote a step, at the last probe: its own policy on ``in_distribution``.

    Zaps of all episodes over steps of all episodes, so long episodes count for more: an agent that
    stays there never ends its episode. Several agents: their mean.
    """

    unit: ClassVar[str] = "share of steps"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "lower"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where the world has no television; n counts steps."""
        found = last_probes(events, IN_DISTRIBUTION, "zaps")
        shares = [each.values["zaps"] / each.values["length"] for each in found]
        if not shares:
            return UNMEASURED
        steps = math.fsum(each.values["length"] * each.n for each in found)
        return Measurement(math.fsum(shares) / len(shares), round(steps))
