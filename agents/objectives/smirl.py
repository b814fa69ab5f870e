"""Surprise minimisation: staying in states like those of this episode so far."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.drives.learned_drive import above_zero, check_discount
from agents.models.running_moments import Normaliser, ReturnScale


@dataclass(frozen=True)
class Smirl(Objective):
    """Berseth et al. 2021: ``r = log p(s' | theta)``, ``theta`` fit to the episode so far, in nats.

    ``theta`` is of the states of this episode before ``s'``, its start included, each feature by
    itself. ``gaussian``: mean and variance of them and of 0, +1, -1, no less than
    ``least_deviation`` squared. ``bernoulli``, for features from 0 to 1: their mean and that of 0
    and 1, no nearer to either than 1e-5. The sum over features is clipped to ``clip``.

    The opposite of curiosity: the reward of a repeated state grows up to the bound that
    ``least_deviation`` (or 1e-5) sets. It depends on ``theta`` and time, which the observation
    lacks here, so it is not Markov. Nothing is learned beyond the episode; ``normaliser: none``
    gives nats from the first step on.
    """

    unit: ClassVar[str] = "nats"
    scope: ClassVar[str] = "episodic"

    weight: float = 0.01
    model: Literal["gaussian", "bernoulli"] = "gaussian"
    least_deviation: float = 0.1
    clip: float = 300.0
    normaliser: Normaliser = "none"
    discount: float = 0.99  # of the intrinsic return that may scale rewards

    def __post_init__(self) -> None:
        for name in ("least_deviation", "clip"):
            above_zero(self, name)
        check_discount(self.discount)

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Begin with no episode; nothing is drawn."""
        del actions, rng
        return _Calm(self, observation_size)


class _Calm(LiveObjective):
    def __init__(self, settings: Smirl, size: int) -> None:
        self._settings, self._size = settings, size
        self._gaussian = settings.model == "gaussian"
        # Number, sum and sum of squares of what an episode is seeded with.
        self._seeds = (3, 0.0, 2.0) if self._gaussian else (2, 1.0, 1.0)
        self._returns = ReturnScale(settings.discount, settings.normaliser)
        self._met: Array  # [n], states of the present episode and the seeds
        self._sums: Array  # [n, size]
        self._squares: Array  # [n, size]
        self._resize(0)

    def reward(self, batch: Batch) -> Array:
        here = batch.here
        if len(self._met) != len(here):
            self._resize(len(here))
        self._add(batch.observation, here & (self._met == self._seeds[0]))
        arrived = np.asarray(batch.next_observation, np.float64)
        clip = self._settings.clip
        surprise = self._log(arrived).sum(axis=1)
        raw = np.where(here, np.minimum(np.maximum(surprise, -clip), clip), 0.0)
        self._add(arrived, here)
        self._forget(batch.ended)
        self._returns.add(raw, here)
        scaled: Array = raw / self._returns.scale
        return scaled

    def update(self, rollout: Batch) -> None:
        del rollout  # taken in as it was rewarded
        self._returns.commit()

    def state_dict(self) -> Mapping[str, Array]:
        return {
            "met": self._met.copy(),
            "sums": self._sums.copy(),
            "squares": self._squares.copy(),
            **self._returns.state("returns"),
        }

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        shape = state["sums"].shape
        if shape != (len(state["met"]), self._size) or shape != state["squares"].shape:
            raise ValueError(f"sums of {shape} do not fit observations of {self._size}")
        self._met, self._sums = state["met"].copy(), state["sums"].copy()
        self._squares = state["squares"].copy()
        self._returns.load(state, "returns")

    def flops(self, steps: int) -> float:
        return 12.0 * steps * self._size

    def _log(self, rows: Array) -> Array:
        """Log density, or log probability, of each feature: ``[n, size]``."""
        mean = self._sums / self._met[:, None]
        if not self._gaussian:
            return _bernoulli(rows, np.minimum(np.maximum(mean, 1e-5), 1 - 1e-5))
        variance = self._squares / self._met[:, None] - np.square(mean)
        variance = np.maximum(variance, self._settings.least_deviation**2)
        found: Array = np.log(variance * (2 * math.pi)) + np.square(rows - mean) / variance
        return -0.5 * found

    def _add(self, observations: Array, here: Array) -> None:
        rows = np.where(here[:, None], observations, 0.0).astype(np.float64)
        self._met += here
        self._sums += rows
        self._squares += np.square(rows)

    def _forget(self, ended: Array) -> None:
        self._met[ended], self._sums[ended], self._squares[ended] = self._seeds

    def _resize(self, n: int) -> None:
        self._met = np.zeros(n, np.int64)
        self._sums, self._squares = np.zeros((2, n, self._size))
        self._forget(np.ones(n, bool))


def _bernoulli(rows: Array, chance: Array) -> Array:
    if rows.min(initial=0.0) < 0 or rows.max(initial=1.0) > 1:
        raise ValueError(
            "smirl's model 'bernoulli' is for observations from 0 to 1: use 'gaussian'"
        )
    found: Array = rows * np.log(chance) + (1 - rows) * np.log(1 - chance)
    return found
