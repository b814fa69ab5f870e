"""A softmax network trained to act as another agent acted: what cloning models share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from agents.arrays import Array
from agents.models.student import Student
from agents.part_settings import SettingError


@dataclass(frozen=True)
class CloningSettings:
    """Of the loss ``-E log pi(a|s) - w_H H(pi(.|s)) + w_2 |theta|^2 / 2`` and of its descent."""

    hidden: int = 32
    learning_rate: float = 1e-3
    minibatch: int = 32
    epochs: int = 10  # over all there is to learn, each time there is something new
    entropy_weight: float = 1e-3
    l2_weight: float = 0.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` naming a setting outside its range."""
        at_least_one(self, "hidden", "minibatch", "epochs")
        above_nought(self, "learning_rate")
        for name in ("entropy_weight", "l2_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingError(
                    f"{name} is finite and at least 0, not {getattr(self, name)}", name
                )


class Clone:
    """Two hidden ReLU layers, Adam, minibatches of steps; ``theta`` is weights and biases."""

    def __init__(
        self, settings: CloningSettings, size: int, actions: int, rng: np.random.Generator
    ) -> None:
        self._settings = settings
        sizes = (size, settings.hidden, settings.hidden, actions)
        self.student = Student(sizes, settings.learning_rate, rng)

    def fit(self, seen: Array, done: Array) -> None:
        """Some epochs over steps: observations ``[n, size]`` and actions ``[n]``."""
        settings = self._settings
        for rows in self.student.minibatches(len(seen), settings.epochs, settings.minibatch):
            activations = self.student.net.activations(np.asarray(seen[rows], np.float32))
            delta = slope(activations[-1], done[rows], settings.entropy_weight)
            self.student.step(activations, delta, settings.l2_weight)

    def log_chances(self, observation: Array) -> Array:
        """Log probabilities of all actions, float32 ``[n, actions]``."""
        return log_softmax(self.student(observation))

    def chances(self, observation: Array) -> Array:
        """Probabilities, float64 ``[n, actions]``."""
        found: Array = np.exp(self.log_chances(observation).astype(np.float64))
        found /= found.sum(axis=1, keepdims=True)
        return found

    def log_chance(self, observation: Array, action: Array) -> Array:
        """Log probability of what was done, float64 ``[n]``."""
        logs = self.log_chances(observation)
        return np.asarray(logs[np.arange(len(logs)), action], np.float64)

    def state(self) -> dict[str, Array]:
        """Copies of everything, by name."""
        return self.student.state()

    def load(self, state: Mapping[str, Array]) -> None:
        """Take over what ``state`` gave."""
        self.student.load(state)

    def flops(self, steps: int, samples: int = 0) -> float:
        """FLOPs of ``steps`` forward, and of fitting ``samples``: backward counts as two."""
        return self.student.flops() * (steps + 3 * self._settings.epochs * samples)


def at_least_one(settings: object, *names: str) -> None:
    """Raise ``ValueError`` naming a setting that is below 1."""
    for name in names:
        if getattr(settings, name) < 1:
            raise SettingError(f"{name} is at least 1, not {getattr(settings, name)}", name)


def above_nought(settings: object, *names: str) -> None:
    """Raise ``ValueError`` naming a setting that is not a finite number above 0."""
    for name in names:
        if not 0 < getattr(settings, name) < math.inf:
            raise SettingError(
                f"{name} is a finite number above 0, not {getattr(settings, name)}", name
            )


def log_softmax(logits: Array) -> Array:
    """``log softmax(logits)``, ``[n, actions]``."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return found


def slope(logits: Array, actions: Array, entropy_weight: float) -> Array:
    """Gradient of the mean loss by the logits: ``p - 1{a}``, and ``w_H p (log p + H)``."""
    logs = log_softmax(logits)
    chances = np.exp(logs)
    entropy = -np.sum(chances * logs, axis=1, keepdims=True)
    delta: Array = chances + np.float32(entropy_weight) * chances * (logs + entropy)
    delta[np.arange(len(actions)), actions] -= 1
    delta /= np.float32(len(actions))
    return delta
