"""The environment's own reward."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.drives.memoryless import Memoryless


@dataclass(frozen=True)
class Extrinsic(Objective):
    """The reward of the environment, as its designer defined it."""

    unit: ClassVar[str] = "environment reward"
    scope: ClassVar[str] = "episodic"

    weight: float = 1.0

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Begin; nothing is learned and nothing is drawn."""
        del observation_size, actions, rng
        return _EnvironmentReward()


class _EnvironmentReward(Memoryless):
    def reward(self, batch: Batch) -> Array:
        return np.array(batch.reward, np.float64)

    def rewards(self, rollout: Batch) -> Array:
        return self.reward(rollout)  # each number by itself, in any shape
