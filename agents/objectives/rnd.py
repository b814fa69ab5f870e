"""Novelty by random network distillation: the error of predicting a frozen random network."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import Array, Batch, Motive, Objective
from agents.perceptron import Adam, Perceptron, loss
from agents.running import ReturnScale, Running


@dataclass(frozen=True)
class Rnd(Objective):
    """Burda et al. 2018. The reward of arriving in ``s'`` is ``mean_j (p_j(s') - f_j(s'))^2 / c``.

    ``f`` is frozen at birth: one hidden layer; the predictor ``p`` has one more, so that it can
    become ``f``. Both see observations less their running mean, divided by their running deviation,
    clipped to ``clip``. ``c`` is the running deviation of the discounted intrinsic return, which
    goes on across episode ends.

    All statistics and ``p`` change between rollouts only. The first rollout earns nothing: it is
    where the statistics come from.
    """

    unit: ClassVar[str] = "deviations of the discounted intrinsic return"
    scope: ClassVar[str] = "lifelong"

    weight: float = 0.3
    latent: int = 16
    hidden: int = 32
    learning_rate: float = 1e-3
    update_proportion: float = 0.25  # share of a rollout's observations that p learns from
    most_samples: int = 4096  # ... but no more than this
    minibatch: int = 128
    discount: float = 0.99  # of the intrinsic return that scales rewards
    clip: float = 5.0

    def __post_init__(self) -> None:
        for name in ("latent", "hidden", "most_samples", "minibatch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1, not {getattr(self, name)}")
        for name in ("learning_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is a finite number above 0, not {getattr(self, name)}")
        if not 0 < self.update_proportion <= 1:
            raise ValueError(f"update_proportion is above 0, at most 1: {self.update_proportion}")
        if not 0 <= self.discount < 1:
            raise ValueError(f"discount is at least 0 and below 1, not {self.discount}")

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> Motive:
        """Draw both networks, and a seed for the samples that ``p`` will learn from."""
        del actions
        return _Surprise(self, observation_size, rng)


class _Surprise(Motive):
    def __init__(self, settings: Rnd, size: int, rng: np.random.Generator) -> None:
        self._settings = settings
        self._target = Perceptron((size, settings.hidden, settings.latent), rng)
        self._predictor = Perceptron((size, settings.hidden, settings.hidden, settings.latent), rng)
        self._adam = Adam(self._predictor.weights, settings.learning_rate)
        self._seen = Running((size,))
        self._freeze()
        self._returns = ReturnScale(settings.discount)
        self._seed = int(rng.integers(2**62))
        self._updates = 0

    def reward(self, batch: Batch) -> Array:
        if not self._updates:
            return np.zeros(len(batch.next_observation))
        error = self._error(batch.next_observation)
        self._returns.add(error)
        return error / self._returns.scale

    def update(self, rollout: Batch) -> None:
        observations = rollout.next_observation
        rows = observations.reshape(-1, observations.shape[-1])
        self._seen.add(rows)
        self._freeze()
        if not self._updates:  # the warm-up rollout was not rewarded step by step
            for error in self._error(rows).reshape(observations.shape[:-1]):
                self._returns.add(error)
        self._returns.commit()
        self._learn(rows)
        self._updates += 1

    def state_dict(self) -> Mapping[str, Array]:
        return {
            **self._target.state("target"),
            **self._predictor.state("predictor"),
            **self._adam.state("adam"),
            **self._seen.state("observations"),
            **self._returns.state("returns"),
            "seed": np.array(self._seed, np.int64),
            "updates": np.array(self._updates, np.int64),
        }

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        for name, mine in self.state_dict().items():
            fits = name == "returns.filter" or (name in state and state[name].shape == mine.shape)
            if not fits:
                raise ValueError(f"rnd cannot go on from this state: '{name}' does not fit")
        self._target.load(state, "target")
        self._predictor.load(state, "predictor")
        self._adam.load(state, "adam")
        self._seen.load(state, "observations")
        self._freeze()
        self._returns.load(state, "returns")
        self._seed, self._updates = int(state["seed"]), int(state["updates"])

    def flops(self, steps: int) -> float:
        """Both networks look once for the reward; learning adds a look of ``f`` and three of ``p``.

        A backward pass counts as two forward passes.
        """
        target, predictor = self._target.flops(), self._predictor.flops()
        return steps * (target + predictor) + self._samples(steps) * (target + 3 * predictor)

    def _samples(self, rows: int) -> int:
        share = math.ceil(rows * self._settings.update_proportion)
        return min(share, self._settings.most_samples)

    def _freeze(self) -> None:
        """Whiten by the statistics of now until the next call; float32, for every step needs it."""
        deviation = self._seen.deviation()
        self._centre = self._seen.mean.astype(np.float32)
        # What never varied is as surprising as can be when it does: it lands on the clip.
        self._stretch = (1.0 / np.maximum(deviation, 1e-8)).astype(np.float32)

    def _whiten(self, observations: Array) -> Array:
        clip = np.float32(self._settings.clip)
        white: Array = np.subtract(observations, self._centre, dtype=np.float32)
        white *= self._stretch
        np.minimum(white, clip, out=white)
        np.maximum(white, -clip, out=white)  # the two take half the time of np.clip
        return white

    def _error(self, observations: Array) -> Array:
        white = self._whiten(observations)
        return loss(self._predictor(white), self._target(white)).astype(np.float64)

    def _learn(self, rows: Array) -> None:
        """Pass once over a random share of the rows. Each update has its own, resumable stream."""
        rng = np.random.Generator(np.random.PCG64([self._seed, self._updates]))
        chosen = rng.choice(len(rows), self._samples(len(rows)), replace=False)
        white = self._whiten(rows[chosen])
        targets = self._target(white)
        for start in range(0, len(white), self._settings.minibatch):
            part = slice(start, start + self._settings.minibatch)
            gradients = self._predictor.gradients(white[part], targets[part])
            self._adam.step(self._predictor.weights, gradients)
