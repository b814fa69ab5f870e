"""Novelty difference: stepping from a known state to a novel one, once an episode."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.distillation import Distiller
from agents.drives.learned_drive import SCALED, Drive, LearnedObjective, PresentSteps, Stateful
from agents.models.row_keys import exact
from agents.models.visit_counts import Visits
from agents.part_settings import SettingError


@dataclass(frozen=True)
class Noveld(LearnedObjective):
    """Zhang et al. 2021: ``r = max(e(s') - alpha e(s), 0) * [N_ep(s') = 1] / c``.

    ``e`` is the error of random network distillation, as in ``rnd``. ``N_ep`` counts exact
    observations in this episode of this environment, this visit and the start included.

    Statistics and the predictor change between rollouts only; the first one has reward 0.
    """

    unit: ClassVar[str] = SCALED
    scope: ClassVar[str] = "episodic"

    alpha: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.alpha <= 1:
            raise SettingError(f"alpha is from 0 to 1, not {self.alpha}", "alpha")

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw both networks, and a seed for the samples that the predictor will learn from."""
        del actions
        return _Frontier(self, observation_size, rng)


class _Frontier(Drive):
    def __init__(self, settings: Noveld, size: int, rng: np.random.Generator) -> None:
        self._alpha = settings.alpha
        self._distiller = Distiller(settings, size, rng)
        self._visits = Visits(size, "episodic")
        super().__init__(settings, size, rng)

    def flops(self, steps: int) -> float:
        learning = self._settings.samples(steps) * self._distiller.learning()
        return 2 * steps * self._distiller.looking() + learning

    def _raw(self, batch: Batch, here: Array) -> Array:
        n = len(here)
        both = self._whiten(np.concatenate([batch.observation, batch.next_observation]))
        error = self._distiller.error(both)
        self._visits.begin(exact(batch.observation), here)
        first = self._visits.meet(exact(batch.next_observation), here) == 1
        self._visits.forget(batch.ended)
        crossed: Array = np.maximum(error[n:] - self._alpha * error[:n], 0.0) * first
        return crossed

    def _learn(self, steps: PresentSteps, rng: np.random.Generator) -> None:
        chosen = self._sample(len(steps.after), rng)
        self._distiller.learn(self._whiten(steps.after[chosen]), self._settings.minibatch)

    def _parts(self) -> Mapping[str, Stateful]:
        return {**self._distiller.parts(), "visits": self._visits}
