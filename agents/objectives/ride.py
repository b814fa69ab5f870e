"""Impact: how far an action moves the features of the world, less in states visited before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.features import FeatureKind, Features, features
from agents.drives.learned_drive import SCALED, LearnedObjective, Stateful
from agents.drives.on_features import Featured
from agents.models.row_keys import exact
from agents.models.visit_counts import Visits


@dataclass(frozen=True)
class Ride(LearnedObjective):
    """Raileanu & Rocktaeschel 2020: ``r = ||phi(s') - phi(s)||_2 / sqrt(N_ep(s')) / c``.

    ``phi`` learns as ``icm``'s does. ``N_ep`` counts exact observations in this episode of this
    environment, this visit and the start included.

    Everything but the counts changes between rollouts only; the first one has reward 0.
    """

    unit: ClassVar[str] = SCALED
    scope: ClassVar[str] = "episodic"
    discrete: ClassVar[bool] = True

    features: FeatureKind = "icm"

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw the features, and a seed for the samples they will learn from."""
        seen = features(self.features, self, observation_size, actions, rng)
        return _Impact(self, observation_size, seen, rng)


class _Impact(Featured):
    def __init__(self, settings: Ride, size: int, seen: Features, rng: np.random.Generator) -> None:
        super().__init__(settings, size, seen, rng)
        self._visits = Visits(size, "episodic")

    def flops(self, steps: int) -> float:
        return super().flops(steps) + steps * self._features.looking()

    def _raw(self, batch: Batch, here: Array) -> Array:
        n = len(here)
        phi = self._phi(np.concatenate([batch.observation, batch.next_observation]))
        moved = (phi[n:] - phi[:n]).astype(np.float64)
        self._visits.begin(exact(batch.observation), here)
        visits = self._visits.meet(exact(batch.next_observation), here)
        self._visits.forget(batch.ended)
        impact: Array = np.sqrt(np.einsum("nj,nj->n", moved, moved) / visits)
        return impact

    def _parts(self) -> Mapping[str, Stateful]:
        return {**super()._parts(), "visits": self._visits}
