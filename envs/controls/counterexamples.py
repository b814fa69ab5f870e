"""Training data in which breaking a rule is penalised: the reward of that step is lower.

The rule is in the training data only: the objective of the agent is the env's reward, its network
has no guard, and no action is blocked. With ``end`` before the end of training, the agent first
learns from these examples, and then in the unchanged world.
"""

from dataclasses import dataclass
from math import isfinite
from typing import ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.control_kit.clock import Clock
from envs.control_kit.control import LARGEST, Expectation, Expected, Step
from envs.control_kit.rule import RuleControl, RuledEnv, first_action
from envs.world_kit.settings import WorldSettingError


@dataclass(frozen=True)
class Counterexamples(RuleControl):
    """``intensity``: share of breaches that are penalised."""

    price: float = 1.0  # taken from the reward of such a step

    unit: ClassVar[str] = "share of breaches that are penalised"

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if not (isfinite(self.price) and 0 < self.price <= LARGEST):
            raise WorldSettingError(
                f"price must be above 0 and at most {LARGEST:g}, not {self.price:g}", "price"
            )

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Penalise breaches."""
        return _Shown(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """Only breaches get a lower reward, by the price."""
        del rng
        first = first_action(env)

        def expected(step: Step, effective_intensity: float) -> Expected:
            n = int(self.broken(step.shown, step.chosen, first).sum())
            variance = n * effective_intensity * (1 - effective_intensity)
            return {
                "rewards_changed": (n * effective_intensity, variance),
                "reward_change": (n * effective_intensity * self.price, variance * self.price**2),
            }

        return expected


class _Shown(RuledEnv):
    def rewards(self, rewards: Array) -> Array:
        less = self.control.price * self.breaches(self.carried)
        return np.asarray(rewards - less, rewards.dtype)
