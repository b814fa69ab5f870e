"""Learns what is worth more from answers to "which of these two did you like better?"."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.models.student import Student
from agents.part_settings import SettingError
from agents.value_learning.bradley_terry import cross_entropy
from agents.values_contract import Dynamics, Evidence, ValueModel, Valuer, fitting


@dataclass(frozen=True)
class Preferences(ValueModel):
    """Christiano et al. 2017: rewards whose returns make the answers likely (Bradley-Terry).

    ``P(1 > 2) = e/2 + (1 - e) / (1 + exp(clip(R2 - R1)))`` with ``R = sum_t g^t r(s, a, s')`` over
    an episode or fragment; ``r`` is a network of two hidden ReLU layers on both observations and
    the action; cross-entropy, Adam, minibatches of pairs. Returns fix rewards up to a constant
    and, where answers are noisy, up to a scale: compare them by
    ``sandbox.measuring.reward_distances``.
    """

    unit: ClassVar[str] = "log odds of being preferred"
    learns_from: ClassVar[str] = "comparisons"

    hidden: int = 32
    learning_rate: float = 1e-3
    minibatch: int = 32  # pairs
    epochs: int = 10  # over the evidence, each time there is some
    noise: float = 0.0  # e: share of answers that are random
    clip: float = 50.0  # of the difference between two returns
    discount: float = 1.0

    def __post_init__(self) -> None:
        for name in ("hidden", "minibatch", "epochs"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is at least 1, not {getattr(self, name)}", name)
        for name in ("learning_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingError(
                    f"{name} is a finite number above 0, not {getattr(self, name)}", name
                )
        if not 0 <= self.noise < 1:
            raise SettingError(f"noise is at least 0 and below 1, not {self.noise}", "noise")
        if not 0 <= self.discount <= 1:
            raise SettingError(f"discount is between 0 and 1, not {self.discount}", "discount")

    def start(
        self,
        observation_size: int,
        actions: int,
        rng: np.random.Generator,
        dynamics: Dynamics | None = None,
    ) -> Valuer:
        """Draw the network."""
        del dynamics
        return _Taste(self, observation_size, actions, rng)


class _Taste(Valuer):
    def __init__(
        self, settings: Preferences, size: int, actions: int, rng: np.random.Generator
    ) -> None:
        self._settings, self._actions = settings, actions
        sizes = (2 * size + actions, settings.hidden, settings.hidden, 1)
        self._student = Student(sizes, settings.learning_rate, rng)

    def learn(self, evidence: Evidence) -> None:
        settings = self._settings
        weights = _weights(evidence.present, settings.discount)
        inputs = _inputs(evidence.steps, self._actions)
        pairs = len(evidence.pairs)
        for rows in self._student.minibatches(pairs, settings.epochs, settings.minibatch):
            chosen = evidence.pairs[rows]  # [k, 2]
            sides = weights[:, chosen] * np.array([1.0, -1.0])  # d gap / d reward, [steps, k, 2]
            there = weights[:, chosen] > 0
            activations = self._student.net.activations(inputs[:, chosen][there])
            rewards = np.zeros(sides.shape)
            rewards[there] = activations[-1][:, 0]
            gap = np.sum(sides * rewards, axis=(0, 2))
            _, slope = cross_entropy(gap, evidence.preferred[rows], settings.noise, settings.clip)
            delta = (sides * slope[:, None] / len(rows))[there]
            self._student.step(activations, delta[:, None])

    def reward(self, batch: Batch) -> Array:
        found = self._student(_inputs(batch, self._actions))[:, 0].astype(np.float64)
        return np.where(batch.here, found, 0.0)

    def state_dict(self) -> Mapping[str, Array]:
        return self._student.state()

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        self._student.load(fitting(state, self.state_dict()))

    def flops(self, steps: int, samples: int = 0) -> float:
        """A backward pass counts as two forward passes; a step is in one comparison."""
        return self._student.flops() * (steps + 3 * self._settings.epochs * samples)


def _inputs(steps: Batch, actions: int) -> Array:
    """Observation, action one-hot, next observation: float32 ``[..., 2 * size + actions]``."""
    chosen = np.eye(actions, dtype=np.float32)[steps.action]
    return np.concatenate([steps.observation, chosen, steps.next_observation], axis=-1)


def _weights(there: Array, discount: float) -> Array:
    """``discount**t`` where a fragment goes on, 0 past its end: ``[steps, episodes]``."""
    powers = np.power(discount, np.arange(len(there), dtype=np.float64))
    return np.where(there, powers[:, None], 0.0)
