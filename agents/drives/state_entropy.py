"""State entropy by nearest neighbours: what ``re3`` and ``apt`` share."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.features import FeatureKind, Features, features
from agents.drives.learned_drive import LearnedObjective, PresentSteps, Stateful
from agents.drives.on_features import Featured
from agents.models.neighbours import Cloud


@dataclass(frozen=True)
class ParticleObjective(LearnedObjective):
    """Rewards the distance of ``s'`` to its ``k`` nearest among the last ``stored`` states.

    A state is rewarded before it is stored, so it is no neighbour of itself, and states of the
    same step are no neighbours of each other. ``include_self`` counts itself as the nearest, at
    distance 0, as the batch form of these estimators does: then ``k`` counts one neighbour
    less. With fewer than ``k`` stored, all of them are used; with none the reward is 0.
    """

    k: int = 5
    stored: int = 1000
    include_self: bool = False
    average: bool = False  # over the k distances; False: the k-th
    features: FeatureKind = "random"

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw the features, and a seed for the samples they will learn from."""
        seen = features(self.features, self, observation_size, actions, rng)
        return _Spread(self, observation_size, seen, rng)


class _Spread(Featured):
    def __init__(
        self, settings: ParticleObjective, size: int, seen: Features, rng: np.random.Generator
    ) -> None:
        super().__init__(settings, size, seen, rng)
        self._others = settings.k - settings.include_self
        self._k, self._average = settings.k, settings.average
        self._cloud = Cloud(size, seen.latent, settings.stored)
        self._most = settings.stored

    def flops(self, steps: int) -> float:
        return super().flops(steps) + (
            2.0 * steps * self._most * self._features.latent + self._most * self._features.looking()
        )

    def _raw(self, batch: Batch, here: Array) -> Array:
        phi = self._phi(batch.next_observation)
        distance = self._distance(phi)
        self._cloud.add(batch.next_observation[here], phi[here])
        spread: Array = np.log1p(distance)
        return spread

    def _distance(self, phi: Array) -> Array:
        if not self._others or not len(self._cloud.features):
            return np.zeros(len(phi))
        found = self._cloud.nearest(phi, self._others)
        selves = self._k - self._others  # at distance 0
        mean: Array = found.sum(axis=1) / (found.shape[1] + selves)
        return mean if self._average else found[:, -1]

    def _learn(self, steps: PresentSteps, rng: np.random.Generator) -> None:
        super()._learn(steps, rng)
        self._cloud.features = self._phi(self._cloud.observations)  # recomputed: phi has changed

    def _parts(self) -> Mapping[str, Stateful]:
        return {**super()._parts(), "cloud": self._cloud}
