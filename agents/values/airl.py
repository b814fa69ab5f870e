"""Adversarial inverse RL: learns a reward of states that separates another's steps from own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.models.reservoir import prefixed, under
from agents.models.student import Student
from agents.part_settings import SettingError
from agents.value_learning.adversarial import (
    AdversarialSettings,
    AdversarialValuer,
    LabelledSteps,
    blame,
)
from agents.value_learning.cloning import Clone, CloningSettings
from agents.values_contract import Dynamics, LogChances, ValueModel, Valuer


@dataclass(frozen=True)
class Airl(AdversarialSettings, ValueModel):
    """Fu, Luo & Levine 2018: a discriminator with the logit ``f(s, a, s') - log pi(a|s)``.

    ``pi`` is the agent's own policy, ``f = g(s) + gamma h(s') - h(s)`` the reward to learn by and
    ``g`` the reward to be tested: in a deterministic world whose states are linked closely enough,
    with soft-optimal play on both sides, it is the other's reward of states up to a constant
    (their theorem 5.1); elsewhere it need not be. Where ``watch`` is not given the policy, it is
    estimated by cloning the agent's own last steps. Episodes that end early are refused as by
    ``gail`` unless ``variable_horizon`` says otherwise: the sign of ``f`` decides whether long
    episodes seem good.
    """

    unit: ClassVar[str] = "nats"
    learns_from: ClassVar[str] = "demonstrations"

    discount: float = 0.99  # gamma: that of the learner that uses the reward

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.discount <= 1:
            raise SettingError(f"discount is between 0 and 1, not {self.discount}", "discount")

    def start(
        self,
        observation_size: int,
        actions: int,
        rng: np.random.Generator,
        dynamics: Dynamics | None = None,
    ) -> Valuer:
        """Draw the two networks, and one that estimates the agent's own policy."""
        del dynamics
        return _Judge(self, observation_size, actions, rng)


class _Judge(AdversarialValuer):
    def __init__(self, settings: Airl, size: int, actions: int, rng: np.random.Generator) -> None:
        super().__init__(settings, size, rng)
        self._discount = np.float32(settings.discount)
        sizes = (size, settings.hidden, settings.hidden, 1)
        self._worth = Student(sizes, settings.learning_rate, rng)
        self._shape = Student(sizes, settings.learning_rate, rng)
        cloning = CloningSettings(settings.hidden, settings.learning_rate, settings.minibatch, 2)
        self._self = Clone(cloning, size, actions, rng)

    def prepare(self, own: LabelledSteps, policy: LogChances | None) -> None:
        if policy is None:
            self._self.fit(own.observation, own.action)

    def train_step(self, steps: LabelledSteps, labels: Array, policy: LogChances | None) -> None:
        n = len(labels)
        logs = (policy or self._self.log_chances)(steps.observation)[np.arange(n), steps.action]
        worth = self._worth.net.activations(steps.observation)
        both = np.concatenate([steps.next_observation, steps.observation])
        shape = self._shape.net.activations(both)
        after, before = shape[-1][:n, 0], shape[-1][n:, 0]
        f = worth[-1][:, 0] + self._discount * after - before
        delta = blame(f - np.asarray(logs, np.float32), labels)
        self._worth.step(worth, delta)
        self._shape.step(shape, np.concatenate([self._discount * delta, -delta]))

    def reward(self, batch: Batch) -> Array:
        after, before = (
            self._shape(each)[:, 0] for each in (batch.next_observation, batch.observation)
        )
        found = self._worth(batch.observation)[:, 0] + self._discount * after - before
        return np.where(batch.here, found.astype(np.float64), 0.0)

    def unshaped(self, batch: Batch) -> Array:
        """``g(s)``."""
        found = self._worth(batch.observation)[:, 0].astype(np.float64)
        return np.where(batch.here, found, 0.0)

    def judge_state(self) -> dict[str, Array]:
        return {
            **prefixed("worth", self._worth.state()),
            **prefixed("shape", self._shape.state()),
            **prefixed("self", self._self.state()),
        }

    def load_judge(self, state: Mapping[str, Array]) -> None:
        self._worth.load(under("worth", state))
        self._shape.load(under("shape", state))
        self._self.load(under("self", state))

    def flops(self, steps: int, samples: int = 0) -> float:
        """A backward pass counts as two; discriminator and own policy learn once a rollout."""
        del samples
        drawn = 2 * self.settings.minibatch * self.settings.n_disc_updates * bool(steps)
        one = self._worth.flops() + 2 * self._shape.flops()
        return one * (steps + 3 * drawn) + self._self.flops(drawn, steps)
