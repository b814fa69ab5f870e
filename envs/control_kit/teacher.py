"""Chooses training levels: in a fixed order, or those on which returns are changing most."""

from collections import deque
from typing import Protocol

import numpy as np

from envs.arrays import Array


class Teacher(Protocol):
    """Chooses among numbered arms and receives their returns."""

    def pick(self, rng: np.random.Generator, n: int, done: float) -> Array:
        """Arms of ``n`` episodes that begin, int ``[n]``; ``done``: share of the span gone by."""

    def update(self, arm: int, total: float) -> None:
        """An episode on this arm returned that much."""


class InOrder:
    """One arm after the other, each for the same share of the span."""

    def __init__(self, arms: int) -> None:
        self.arms = arms

    def pick(self, rng: np.random.Generator, n: int, done: float) -> Array:
        """See ``Teacher``."""
        del rng
        return np.full(n, self.now(done))

    def now(self, done: float) -> int:
        """The arm whose turn it is."""
        return min(int(done * self.arms), self.arms - 1)

    def update(self, arm: int, total: float) -> None:
        """Nothing is learned from what the learner does."""


class LearningProgressTeacher:
    """Arms in proportion to their absolute learning progress (ALP).

    ALP of an arm = ``|mean(newest window of returns) - mean(the window before)|``. An arm without
    two whole windows is unknown; while there are such arms, they alone are drawn, evenly. After
    that ``P(arm) = explore / arms + (1 - explore) * ALP(arm) / sum of ALP``, evenly where nothing
    changes anywhere.
    """

    def __init__(self, arms: int, window: int, explore: float) -> None:
        self.window, self.explore = window, explore
        self.returns: list[deque[float]] = [deque(maxlen=2 * window) for _ in range(arms)]

    def update(self, arm: int, total: float) -> None:
        """Keep the return."""
        self.returns[arm].append(total)

    def progress(self) -> Array:
        """ALP of every arm, NaN where it is unknown."""
        w = self.window
        return np.array(
            [
                abs(np.mean(list(each)[w:]) - np.mean(list(each)[:w]))
                if len(each) == 2 * w
                else np.nan
                for each in self.returns
            ]
        )

    def chances(self) -> Array:
        """Probability of every arm."""
        alp = self.progress()
        unknown = np.isnan(alp)
        if unknown.any():
            return np.asarray(unknown / unknown.sum())
        even = np.full(len(alp), 1 / len(alp))
        total = alp.sum()
        greedy = alp / total if total > 0 else even
        return np.asarray(self.explore * even + (1 - self.explore) * greedy)

    def pick(self, rng: np.random.Generator, n: int, done: float) -> Array:
        """See ``Teacher``."""
        del done
        edges = np.cumsum(self.chances())[:-1]
        return np.searchsorted(edges, rng.random(n), side="right")
