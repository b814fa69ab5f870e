"""Adds normal noise to every reward that the learner receives; ground truth is unchanged.

``mean_return`` of every update, which the learner reports, includes the noise. Ground truth, probes
and metrics use the world's rewards, without the noise.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.control_kit.clock import Clock
from envs.control_kit.control import LARGEST, Control, ControlledEnv, Expectation, Expected, Step

_MEAN = math.sqrt(2 / math.pi)  # of |z|


@dataclass(frozen=True)
class RewardNoise(Control):
    """``intensity``: standard deviation."""

    unit: ClassVar[str] = "standard deviation, in units of the reward"
    most: ClassVar[float] = LARGEST

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Add the noise."""
        return _Noisy(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """The mean of |noise|."""
        del env, rng
        return _expected


def _expected(step: Step, effective_intensity: float) -> Expected:
    n = len(step.rewards)
    return {
        "reward_change": (
            n * effective_intensity * _MEAN,
            n * effective_intensity**2 * (1 - _MEAN**2),
        )
    }


class _Noisy(ControlledEnv):
    def rewards(self, rewards: Array) -> Array:
        noise = self.effective_intensity * self.rng.standard_normal(self.num_envs)
        return np.asarray(rewards + noise, rewards.dtype)
