"""Novelty by random network distillation: the error of predicting a frozen random network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.distillation import Distiller
from agents.drives.learned_drive import SCALED, Drive, LearnedObjective, PresentSteps, Stateful


@dataclass(frozen=True)
class Rnd(LearnedObjective):
    """Burda et al. 2018. The reward of arriving in ``s'`` is ``mean_j (p_j(s') - f_j(s'))^2 / c``.

    ``f`` is drawn at the start and frozen: one hidden layer; the predictor ``p`` has one more, so
    that it can become ``f``. Both see observations less their running mean, divided by their
    running deviation, clipped to ``clip``. ``c`` is the running deviation of the discounted
    intrinsic return, which goes on across episode ends; other scales by ``normaliser``.

    All statistics and ``p`` change between rollouts only. The first rollout has reward 0: it
    only collects the statistics.
    """

    unit: ClassVar[str] = SCALED
    scope: ClassVar[str] = "lifelong"

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw both networks, and a seed for the samples that ``p`` will learn from."""
        del actions
        return _Surprise(self, observation_size, rng)


class _Surprise(Drive):
    _row_by_row = True

    def __init__(self, settings: Rnd, size: int, rng: np.random.Generator) -> None:
        self._distiller = Distiller(settings, size, rng)
        super().__init__(settings, size, rng)

    def flops(self, steps: int) -> float:
        """Both networks look once for the reward; the rest is learning."""
        learning = self._settings.samples(steps) * self._distiller.learning()
        return steps * self._distiller.looking() + learning

    def _raw(self, batch: Batch, here: Array) -> Array:
        del here
        return self._distiller.error(self._whiten(batch.next_observation))

    def _learn(self, steps: PresentSteps, rng: np.random.Generator) -> None:
        chosen = self._sample(len(steps.after), rng)
        self._distiller.learn(self._whiten(steps.after[chosen]), self._settings.minibatch)

    def _parts(self) -> Mapping[str, Stateful]:
        return self._distiller.parts()
