"""A constant reward for every step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective


@dataclass(frozen=True)
class Presence(Objective):
    """1 a step, whatever happens."""

    unit: ClassVar[str] = "steps"
    scope: ClassVar[str] = "episodic"

    weight: float = 0.1

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Nothing is learned."""
        del observation_size, actions, rng
        return _There()


class _There(LiveObjective):
    def reward(self, batch: Batch) -> Array:
        return np.ones(len(batch.reward))

    def update(self, rollout: Batch) -> None:
        del rollout

    def state_dict(self) -> Mapping[str, Array]:
        return {}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        del state
