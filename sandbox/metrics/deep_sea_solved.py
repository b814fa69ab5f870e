"""Whether a deep sea was solved in training, as bsuite counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event, Updated

MOST_EPISODES = 10_000
_BAD = 0.9


@dataclass(frozen=True)
class DeepSeaSolved(Metric):
    """1 where fewer than nine in ten episodes so far were bad (Osband et al. 2019), else 0.

    Asked after every update within the first 10,000 training episodes; an episode is bad where it
    leaves the only path to the treasure. n counts the episodes until it was solved, or all.
    """

    unit: ClassVar[str] = "solved"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where no episode can be bad."""
        bad, played = 0.0, 0
        for each in events:
            if not isinstance(each, Updated) or "bad_episode" not in each.truth:
                continue
            if played + each.episodes > MOST_EPISODES:
                break
            played += each.episodes
            bad += each.truth["bad_episode"] * each.episodes
            if bad < _BAD * played:
                return Measurement(1.0, played)
        return Measurement(0.0, played) if played else UNMEASURED
