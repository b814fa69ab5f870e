"""Never give up: new in this episode, times new in this run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.distillation import Distiller
from agents.drives.features import FeatureKind, Features, features
from agents.drives.learned_drive import SCALED, LearnedObjective, PresentSteps, Stateful, above_zero
from agents.drives.on_features import Featured
from agents.models.neighbours import Trail
from agents.models.running_moments import Running, Usual


@dataclass(frozen=True)
class Ngu(LearnedObjective):
    """Badia et al. 2020: ``r = r_ep * min(max(alpha, 1), most_alpha) / c``.

    ``r_ep = 1 / (sqrt(sum K) + constant)`` over the ``k`` nearest features in this episode of this
    environment, the start included; 0 where its denominator exceeds ``most_similarity``.
    ``K = epsilon / (max(d^2 / d_m^2 - cluster, 0) + epsilon)``, and ``d_m^2`` is the mean of all
    such ``d^2`` so far, these included. So ``m`` exact repeats give ``1 / (sqrt(m) + constant)``.
    Features are those of an inverse model. Fewer than ``k`` states are as many as there are; beyond
    ``capacity`` the oldest are forgotten.

    ``alpha = 1 + (e - mean) / deviation``, where ``e`` is the error of random network distillation,
    as in ``rnd``, and both statistics are of all errors up to the last rollout. Networks change
    between rollouts only; the first one has reward 0.
    """

    unit: ClassVar[str] = SCALED
    scope: ClassVar[str] = "episodic"
    discrete: ClassVar[bool] = True

    k: int = 10
    cluster: float = 0.008
    epsilon: float = 1e-4
    constant: float = 1e-3
    most_similarity: float = 8.0
    most_alpha: float = 5.0
    capacity: int = 512
    features: FeatureKind = "inverse"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("epsilon", "constant", "most_similarity", "most_alpha"):
            above_zero(self, name)

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw all networks, and a seed for the samples they will learn from."""
        seen = features(self.features, self, observation_size, actions, rng)
        return _Restless(self, observation_size, seen, rng)


class _Restless(Featured):
    def __init__(self, settings: Ngu, size: int, seen: Features, rng: np.random.Generator) -> None:
        self._ngu = settings
        self._distiller = Distiller(settings, size, rng)
        super().__init__(settings, size, seen, rng)
        self._trail = Trail(seen.latent, settings.capacity)
        self._distances, self._errors = Running(()), Usual()

    def flops(self, steps: int) -> float:
        search = 3.0 * self._ngu.capacity * self._features.latent
        looks = self._features.looking() + self._distiller.looking() + search
        learning = self._settings.samples(steps) * self._distiller.learning()
        return super().flops(steps) + steps * looks + learning

    def _raw(self, batch: Batch, here: Array) -> Array:
        n = len(here)
        phi = self._phi(np.concatenate([batch.observation, batch.next_observation]))
        self._trail.begin(phi[:n], here)
        episodic = self._episodic(self._trail.nearest(phi[n:], self._ngu.k), here)
        self._trail.add(phi[n:], here)
        self._trail.forget(batch.ended)
        error = self._distiller.error(self._whiten(batch.next_observation))
        self._errors.add(error[here])
        return episodic * self._alpha(error)

    def _episodic(self, squared: Array, here: Array) -> Array:
        """Novelty in the episode, ``[n]``, of squared distances ``[n, <=k]``."""
        has, at = np.isfinite(squared), self._ngu
        self._distances.add(squared[has & here[:, None]])
        usual = float(self._distances.mean) or 1.0  # 0: all were exact repeats
        beyond = np.maximum(np.where(has, squared, 0.0) / usual - at.cluster, 0.0)
        kernel = np.where(has, at.epsilon / (beyond + at.epsilon), 0.0)
        similarity = np.sqrt(kernel.sum(axis=1)) + at.constant
        return np.where(similarity > at.most_similarity, 0.0, 1.0 / similarity)

    def _alpha(self, error: Array) -> Array:
        """Novelty in the run, from 1 to ``most_alpha``; 1 before any error is known."""
        if not self._errors.deviation:
            return np.ones(len(error))
        alpha = 1.0 + (error - self._errors.mean) / self._errors.deviation
        return np.minimum(np.maximum(alpha, 1.0), self._ngu.most_alpha)

    def _learn(self, steps: PresentSteps, rng: np.random.Generator) -> None:
        super()._learn(steps, rng)
        chosen = self._sample(len(steps.after), rng)
        self._distiller.learn(self._whiten(steps.after[chosen]), self._settings.minibatch)
        self._errors.commit()

    def _parts(self) -> Mapping[str, Stateful]:
        return {
            **super()._parts(),
            **self._distiller.parts(),
            "trail": self._trail,
            "distances": self._distances,
            "errors": self._errors,
        }
