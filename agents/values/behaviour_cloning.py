"""Learns to act as another was seen to act; the reward is the log probability of the action."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.value_learning.cloning import Clone, CloningSettings
from agents.values_contract import Dynamics, Evidence, ValueModel, Valuer, fitting


@dataclass(frozen=True)
class BehaviourCloning(CloningSettings, ValueModel):
    """A softmax network trained on ``-E log pi(a|s) - w_H H(pi(.|s)) + w_2 |theta|^2 / 2``.

    Two hidden ReLU layers, Adam, minibatches of steps; weights and biases are both in ``theta``.
    The reward of a step is ``log pi(a|s)``. Of a soft-optimal demonstrator, in a deterministic
    world, that is its own reward but for potential shaping: ``log pi = r + g V(s') - V(s)``.
    """

    unit: ClassVar[str] = "nats"
    learns_from: ClassVar[str] = "demonstrations"

    def start(
        self,
        observation_size: int,
        actions: int,
        rng: np.random.Generator,
        dynamics: Dynamics | None = None,
    ) -> Valuer:
        """Draw the network."""
        del dynamics
        return _Cloner(Clone(self, observation_size, actions, rng))


class _Cloner(Valuer):
    def __init__(self, clone: Clone) -> None:
        self._clone = clone

    def learn(self, evidence: Evidence) -> None:
        there = evidence.present
        self._clone.fit(evidence.steps.observation[there], evidence.steps.action[there])

    def reward(self, batch: Batch) -> Array:
        found = self._clone.log_chance(batch.observation, batch.action)
        return np.where(batch.here, found, 0.0)

    def predict(self, observation: Array, step: Array) -> Array:
        """The same at every step: the clone does not know the time."""
        del step
        return self._clone.chances(observation)

    def state_dict(self) -> Mapping[str, Array]:
        return self._clone.state()

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        self._clone.load(fitting(state, self.state_dict()))

    def flops(self, steps: int, samples: int = 0) -> float:
        """A backward pass counts as two forward passes."""
        return self._clone.flops(steps, samples)
