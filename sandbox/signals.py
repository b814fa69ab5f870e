"""What an editor may react to: a number an update of every loss, the gradient and novelty."""

from dataclasses import dataclass, field

import numpy as np

from agents.arrays import Array
from agents.contract import LiveLearner, UpdateReport

OBSERVATIONS = 1024
MEMORY = 0.9
"""Share of the old running mean and variance that an update keeps."""


@dataclass
class Signals:
    """An agent's curves so far; ``novelty`` rises when the world shows something else.

    Novelty of a rollout is the mean over features of (its mean - running mean)^2 / running
    variance, before the running numbers take the rollout in; 0 for the first rollout. Features that
    never varied count where they move: the variance is at least 1e-4.
    """

    curves: dict[str, list[float | None]] = field(default_factory=dict)
    updates: int = 0
    _mean: Array | None = None
    _variance: Array | None = None

    def note(self, report: UpdateReport, learner: LiveLearner) -> None:
        """Take in one update."""
        found: dict[str, float] = dict(report.losses)
        found["novelty"] = self._novelty(learner.recent_observations(OBSERVATIONS))
        for name in {**self.curves, **found}:
            curve = self.curves.setdefault(name, [None] * self.updates)
            curve.append(found.get(name))
        self.updates += 1

    def so_far(self) -> dict[str, tuple[float | None, ...]]:
        """Every curve, one number an update, ``None`` where an update had none."""
        return {name: tuple(curve) for name, curve in self.curves.items()}

    def _novelty(self, seen: Array) -> float:
        if not len(seen):
            return 0.0
        mean, variance = seen.mean(0, dtype=np.float64), seen.var(0, dtype=np.float64)
        if self._mean is None or self._variance is None:
            self._mean, self._variance = mean, variance
            return 0.0
        distance = float(((mean - self._mean) ** 2 / np.maximum(self._variance, 1e-4)).mean())
        self._mean = MEMORY * self._mean + (1 - MEMORY) * mean
        self._variance = MEMORY * self._variance + (1 - MEMORY) * variance
        return distance
