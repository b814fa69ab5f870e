"""Elliptical novelty: features outside the span of those seen in the present episode."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.features import FeatureKind, Features, features
from agents.drives.learned_drive import SCALED, LearnedObjective, Stateful, above_zero
from agents.drives.on_features import Featured
from agents.models.ellipsoids import Ellipsoids


@dataclass(frozen=True)
class E3b(LearnedObjective):
    """Henaff et al. 2022: ``r = phi(s')^T C^-1 phi(s') / c``, ``C = ridge I + sum phi phi^T``.

    The sum is over the states arrived in before, in this episode of this environment; where it
    starts is not among them, so its first step gives ``||phi||^2 / ridge``. The state an episode
    ends in is rewarded before ``C`` is reset. ``phi`` is the encoder of an inverse model unless
    ``features`` names others; ``C`` keeps its sum when the encoder learns between rollouts.

    The first rollout has reward 0.
    """

    unit: ClassVar[str] = SCALED
    scope: ClassVar[str] = "episodic"
    discrete: ClassVar[bool] = True

    ridge: float = 0.1
    features: FeatureKind = "inverse"

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "ridge")

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw the features, and a seed for the samples they will learn from."""
        seen = features(self.features, self, observation_size, actions, rng)
        return _Span(self, observation_size, seen, rng)


class _Span(Featured):
    def __init__(self, settings: E3b, size: int, seen: Features, rng: np.random.Generator) -> None:
        super().__init__(settings, size, seen, rng)
        self._episodes = Ellipsoids(seen.latent, settings.ridge)

    def flops(self, steps: int) -> float:
        return super().flops(steps) + 5.0 * steps * self._features.latent**2

    def _raw(self, batch: Batch, here: Array) -> Array:
        bonus = self._episodes.meet(self._phi(batch.next_observation), here)
        self._episodes.forget(batch.ended)
        return bonus

    def _parts(self) -> Mapping[str, Stateful]:
        return {**super()._parts(), "episodes": self._episodes}
