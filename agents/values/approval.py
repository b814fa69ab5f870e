"""Learns what a step is worth to another from the approval that it shows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.models.student import Student
from agents.part_settings import SettingError
from agents.value_learning.approvals import answered_steps, what_was_done
from agents.values_contract import Dynamics, Evidence, ValueModel, Valuer, fitting


@dataclass(frozen=True)
class Approval(ValueModel):
    """A network ``U(s, a)`` trained on ``(U(s, a) - approval)^2 / 2``, mean over answered steps.

    Two hidden ReLU layers on the observation and the action one-hot, Adam, minibatches; steps
    without an approval (NaN) are not learned from. The last layer is initialised as 0, so an
    untrained model predicts 0 everywhere. It does not see the next observation, so it can be read
    off as a table of states and actions.
    """

    unit: ClassVar[str] = "approval"
    learns_from: ClassVar[str] = "approval"

    hidden: int = 32
    learning_rate: float = 3e-3
    minibatch: int = 128
    epochs: int = 4  # over the evidence, each time there is some

    def __post_init__(self) -> None:
        for name in ("hidden", "minibatch", "epochs"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is at least 1, not {getattr(self, name)}", name)
        if not 0 < self.learning_rate < math.inf:
            raise SettingError(
                f"learning_rate is a finite number above 0, not {self.learning_rate}",
                "learning_rate",
            )

    def start(
        self,
        observation_size: int,
        actions: int,
        rng: np.random.Generator,
        dynamics: Dynamics | None = None,
    ) -> Valuer:
        """Draw the network."""
        del dynamics
        return _Listener(self, observation_size, actions, rng)


class _Listener(Valuer):
    def __init__(
        self, settings: Approval, size: int, actions: int, rng: np.random.Generator
    ) -> None:
        self._settings, self._actions = settings, actions
        sizes = (size + actions, settings.hidden, settings.hidden, 1)
        self._student = Student(sizes, settings.learning_rate, rng)
        self._student.net.weights[-1][0][:] = 0  # biases are 0 already

    def learn(self, evidence: Evidence) -> None:
        inputs, shown = answered_steps(evidence, self._actions)
        settings = self._settings
        for chosen in self._student.minibatches(len(shown), settings.epochs, settings.minibatch):
            activations = self._student.net.activations(inputs[chosen])
            error = activations[-1] - shown[chosen, None]
            self._student.step(activations, error / len(chosen))

    def reward(self, batch: Batch) -> Array:
        inputs = what_was_done(batch.observation, batch.action, self._actions)
        found = self._student(inputs)[:, 0].astype(np.float64)
        return np.where(batch.here, found, 0.0)

    def state_dict(self) -> Mapping[str, Array]:
        return self._student.state()

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        self._student.load(fitting(state, self.state_dict()))

    def flops(self, steps: int, samples: int = 0) -> float:
        """A backward pass counts as two forward passes."""
        return self._student.flops() * (steps + 3 * self._settings.epochs * samples)
