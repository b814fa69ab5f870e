"""The reward is how much a step looks like the other's to a discriminator of state and action."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.models.student import Student
from agents.value_learning.adversarial import (
    AdversarialSettings,
    AdversarialValuer,
    LabelledSteps,
    blame,
)
from agents.values_contract import Dynamics, LogChances, ValueModel, Valuer


@dataclass(frozen=True)
class Gail(AdversarialSettings, ValueModel):
    """Ho & Ermon 2016: a discriminator's logit ``l(s, a)``, high for the other's steps.

    The reward of a step is ``softplus(l) = -log sigmoid(-l)``. It is always above 0, so where
    episodes may end early it rewards longer episodes, whatever was demonstrated (Kostrikov et al.
    2019): such evidence and such worlds are refused unless ``variable_horizon`` says otherwise.
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
        """Draw the discriminator."""
        del dynamics
        return _Judge(self, observation_size, actions, rng)


class _Judge(AdversarialValuer):
    def __init__(self, settings: Gail, size: int, actions: int, rng: np.random.Generator) -> None:
        super().__init__(settings, size, rng)
        self._actions = actions
        sizes = (size + actions, settings.hidden, settings.hidden, 1)
        self._student = Student(sizes, settings.learning_rate, rng)

    def train_step(self, steps: LabelledSteps, labels: Array, policy: LogChances | None) -> None:
        del policy
        activations = self._student.net.activations(self._inputs(steps.observation, steps.action))
        self._student.step(activations, blame(activations[-1][:, 0], labels))

    def reward(self, batch: Batch) -> Array:
        logits = self._student(self._inputs(batch.observation, batch.action))[:, 0]
        found = np.logaddexp(0.0, logits.astype(np.float64))
        return np.where(batch.here, found, 0.0)

    def judge_state(self) -> dict[str, Array]:
        return self._student.state()

    def load_judge(self, state: Mapping[str, Array]) -> None:
        self._student.load(state)

    def flops(self, steps: int, samples: int = 0) -> float:
        """A backward pass counts as two forward passes; the discriminator learns once a rollout."""
        del samples
        drawn = 2 * self.settings.minibatch * self.settings.n_disc_updates
        return self._student.flops() * (steps + 3 * drawn * bool(steps))

    def _inputs(self, observation: Array, action: Array) -> Array:
        chosen = np.eye(self._actions, dtype=np.float32)[action]
        return np.concatenate([observation, chosen], axis=1, dtype=np.float32)
