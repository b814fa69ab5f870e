"""Novelty by counts of hashes: states that look alike are counted together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.models.visit_counts import Memory, Visits, hashes
from agents.objective_contract import row_by_row
from agents.part_settings import SettingError


@dataclass(frozen=True)
class Simhash(Objective):
    """Tang et al. 2017: ``r = 1 / sqrt(n(h(s')))``, ``h = sign(A g(s'))``, ``A`` normal, frozen.

    ``g`` is the observation with a constant 1 behind it: signs alone would take ``s`` and ``2 s``
    for one state. More ``bits`` separate more states; with many it counts exactly, as ``count``
    does, whose conventions these are: the state arrived in, this visit included, in the order of
    the environments' index. ``memory: episodic`` starts each environment's counts anew where its
    episode ended. No normaliser.
    """

    unit: ClassVar[str] = "1/sqrt(visits)"
    scope: ClassVar[str] = "lifelong"

    weight: float = 0.1
    bits: int = 32
    memory: Memory = "lifelong"

    def __post_init__(self) -> None:
        if self.bits < 1:
            raise SettingError(f"bits is at least 1, not {self.bits}", "bits")

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw the hash's directions."""
        del actions
        return _Hashes(self, rng.standard_normal((self.bits, observation_size + 1)))


class _Hashes(LiveObjective):
    def __init__(self, settings: Simhash, directions: Array) -> None:
        self._directions = directions
        self._visits = Visits((settings.bits + 7) // 8, settings.memory, np.uint8)

    def reward(self, batch: Batch) -> Array:
        keys = hashes(batch.next_observation, self._directions)
        visits = self._visits.meet(keys, batch.here)
        self._visits.forget(batch.ended)
        bonus: Array = 1.0 / np.sqrt(visits)
        return bonus

    def rewards(self, rollout: Batch) -> Array:
        if self._visits.episodic:  # an end empties a table on the way
            return super().rewards(rollout)
        return row_by_row(self.reward, rollout)  # rows are counted in order

    def update(self, rollout: Batch) -> None:
        del rollout  # counted as they were rewarded

    def state_dict(self) -> Mapping[str, Array]:
        return {"directions": self._directions.copy(), **self._visits.state("counts")}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        if state["directions"].shape != self._directions.shape:
            raise ValueError(f"a hash of {state['directions'].shape} is not of this size")
        self._directions = state["directions"].copy()
        self._visits.load(state, "counts")

    def flops(self, steps: int) -> float:
        return steps * (2.0 * self._directions.size + 2)
