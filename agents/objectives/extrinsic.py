"""The environment's own reward."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import Array, Batch, Motive, Objective


@dataclass(frozen=True)
class Extrinsic(Objective):
    """What the designer pays for."""

    unit: ClassVar[str] = "environment reward"
    scope: ClassVar[str] = "episodic"

    weight: float = 1.0

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> Motive:
        """Begin; nothing is learned and nothing is drawn."""
        del observation_size, actions, rng
        return _Paid()


class _Paid(Motive):
    def reward(self, batch: Batch) -> Array:
        return np.array(batch.reward, np.float64)

    def update(self, rollout: Batch) -> None:
        del rollout

    def state_dict(self) -> Mapping[str, Array]:
        return {}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        if state:
            raise ValueError(f"extrinsic has no state, got {sorted(state)}")
