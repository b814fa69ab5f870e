"""Accuracy at the end of the last tasks, on the data learned from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.analysis.metric_base import UNMEASURED, chosen
from sandbox.contract import Measurement, Metric
from sandbox.record.events import Event, Updated

SHARE = 10
"""The last tenth of the tasks counts."""


@dataclass(frozen=True)
class FinalAccuracy(Metric):
    """Mean of ``accuracy`` after updates in which a task (an episode) ended, of the last tenth.

    Accuracy is of the answers most likely given, on the rollout just learned from. Several agents:
    over all of them, and of a population the member that speaks for it; n counts tasks. It does not
    cover points that were not trained on.
    """

    unit: ClassVar[str] = "share of right answers"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    direction = "higher"

    def compute(self, events: Sequence[Event]) -> Measurement:
        """``None`` where no task ended, or the learner has no accuracy."""
        speaker = chosen(events)
        ends: dict[str, list[float]] = {}
        for each in events:
            if not isinstance(each, Updated) or speaker not in {"", each.agent}:
                continue
            if each.episodes and "accuracy" in each.losses:
                ends.setdefault(each.agent, []).append(each.losses["accuracy"])
        last = [value for found in ends.values() for value in found[-max(len(found) // SHARE, 1) :]]
        return Measurement(sum(last) / len(last), len(last)) if last else UNMEASURED
