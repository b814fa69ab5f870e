"""Learns to act as another was seen to act; finds an action worth its log probability."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import Array, Batch
from agents.student import Student
from agents.values_contract import Dynamics, Evidence, ValueModel, Valuer, fitting, present


@dataclass(frozen=True)
class BehaviourCloning(ValueModel):
    """A softmax network taught by ``-E log pi(a|s) - w_H H(pi(.|s)) + w_2 |theta|^2 / 2``.

    Two hidden ReLU layers, Adam, minibatches of steps; weights and biases are both in ``theta``.
    The reward of a step is ``log pi(a|s)``. Of a soft-optimal demonstrator, in a deterministic
    world, that is its own reward but for potential shaping: ``log pi = r + g V(s') - V(s)``.
    """

    unit: ClassVar[str] = "nats"
    learns_from: ClassVar[str] = "demonstrations"

    hidden: int = 32
    learning_rate: float = 1e-3
    minibatch: int = 32
    epochs: int = 10  # over the evidence, each time there is some
    entropy_weight: float = 1e-3
    l2_weight: float = 0.0

    def __post_init__(self) -> None:
        for name in ("hidden", "minibatch", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1, not {getattr(self, name)}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is a finite number above 0, not {self.learning_rate}")
        for name in ("entropy_weight", "l2_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is finite and at least 0, not {getattr(self, name)}")

    def start(
        self,
        observation_size: int,
        actions: int,
        rng: np.random.Generator,
        dynamics: Dynamics | None = None,
    ) -> Valuer:
        """Draw the network."""
        del dynamics
        return _Clone(self, observation_size, actions, rng)


class _Clone(Valuer):
    def __init__(
        self, settings: BehaviourCloning, size: int, actions: int, rng: np.random.Generator
    ) -> None:
        self._settings = settings
        sizes = (size, settings.hidden, settings.hidden, actions)
        self._student = Student(sizes, settings.learning_rate, rng)

    def learn(self, evidence: Evidence) -> None:
        there = evidence.present
        seen = np.asarray(evidence.lived.observation[there], np.float32)
        done = evidence.lived.action[there]
        settings = self._settings
        for rows in self._student.minibatches(len(seen), settings.epochs, settings.minibatch):
            activations = self._student.net.activations(seen[rows])
            delta = _slope(activations[-1], done[rows], settings.entropy_weight)
            self._student.step(activations, delta, settings.l2_weight)

    def reward(self, batch: Batch) -> Array:
        logs = _logs(self._student(batch.observation))
        found = logs[np.arange(len(logs)), batch.action].astype(np.float64)
        return np.where(present(batch), found, 0.0)

    def predict(self, observation: Array, step: Array) -> Array:
        """The same at every step: the clone does not know the time."""
        del step
        found: Array = np.exp(_logs(self._student(observation)).astype(np.float64))
        found /= found.sum(axis=1, keepdims=True)
        return found

    def state_dict(self) -> Mapping[str, Array]:
        return self._student.state()

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        self._student.load(fitting(state, self.state_dict()))

    def flops(self, steps: int, lessons: int = 0) -> float:
        """A backward pass counts as two forward passes."""
        return self._student.flops() * (steps + 3 * self._settings.epochs * lessons)


def _logs(logits: Array) -> Array:
    shifted = logits - logits.max(axis=1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return found


def _slope(logits: Array, actions: Array, entropy_weight: float) -> Array:
    """Gradient of the mean loss by the logits: ``p - 1{a}``, and ``w_H p (log p + H)``."""
    logs = _logs(logits)
    chances = np.exp(logs)
    entropy = -np.sum(chances * logs, axis=1, keepdims=True)
    delta: Array = chances + np.float32(entropy_weight) * chances * (logs + entropy)
    delta[np.arange(len(actions)), actions] -= 1
    delta /= np.float32(len(actions))
    return delta
