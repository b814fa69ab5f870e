"""Takes something off every reward.

Truth, probes and metrics see the world's rewards, whatever controls do.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.control_kit.clock import Clock
from envs.control_kit.control import LARGEST, Control, ControlledEnv, Expectation


@dataclass(frozen=True)
class Toll(Control):
    """``intensity``: what is taken."""

    unit: ClassVar[str] = "reward taken a step"
    most: ClassVar[float] = LARGEST

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Take the toll."""
        return _Tolled(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """As much as was taken."""
        del env, rng
        return lambda step, effective_intensity: {
            "reward_change": (effective_intensity * len(step.rewards), 0.0)
        }


class _Tolled(ControlledEnv):
    def rewards(self, rewards: Array) -> Array:
        return np.asarray(rewards - self.effective_intensity)
