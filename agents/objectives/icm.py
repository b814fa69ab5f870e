"""Curiosity: prediction error of an action's outcome, in features of what actions change."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.features import DynamicsFeatures
from agents.drives.learned_drive import SCALED, LearnedObjective, above_zero
from agents.drives.on_features import Featured
from agents.part_settings import SettingError


@dataclass(frozen=True)
class Icm(LearnedObjective):
    """Pathak et al. 2017: ``r = (eta / 2) ||f(phi(s), a) - phi(s')||^2 / c``.

    ``phi`` is a network from whose features of ``s`` and ``s'`` an inverse model predicts the
    action; the loss is ``(1 - forward_share) L_inv + forward_share L_fwd``. ``c`` is by
    ``normaliser``, and then ``eta`` cancels; with ``none`` it is the scale. Noise that depends on
    the action cannot be predicted but must be represented, so it stays rewarded.
    ``forward_shapes_features`` lets the gradient of ``L_fwd`` go into ``phi``, as the first
    authors' code does; without a task's own gradient ``phi`` then shrinks until all is predicted,
    so by default ``phi`` learns from ``L_inv`` alone.

    Everything changes between rollouts only; the first one has reward 0.
    """

    unit: ClassVar[str] = SCALED
    scope: ClassVar[str] = "lifelong"
    discrete: ClassVar[bool] = True

    eta: float = 0.01
    forward_share: float = 0.2  # of the forward model in the loss
    forward_shapes_features: bool = False  # True: its loss goes back into phi too

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "eta")
        if not 0 < self.forward_share < 1:
            raise SettingError(
                f"forward_share is between 0 and 1, not {self.forward_share}", "forward_share"
            )

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw three networks, and a seed for the samples they will learn from."""
        return _Curiosity(self, observation_size, actions, rng)


class _Curiosity(Featured):
    _row_by_row = True

    def __init__(self, settings: Icm, size: int, actions: int, rng: np.random.Generator) -> None:
        share, shapes = settings.forward_share, settings.forward_shapes_features
        self._dynamics = DynamicsFeatures(settings, size, actions, rng, share=share, shapes=shapes)
        self._half_eta = settings.eta / 2
        super().__init__(settings, size, self._dynamics, rng)

    def flops(self, steps: int) -> float:
        return super().flops(steps) + steps * (
            self._dynamics.looking() + self._dynamics.forward.flops()
        )

    def _raw(self, batch: Batch, here: Array) -> Array:
        del here
        n = len(batch.action)
        phi = self._phi(np.concatenate([batch.observation, batch.next_observation]))
        missed = self._dynamics.foresee(phi[:n], batch.action) - phi[n:]
        squared: Array = np.einsum("nj,nj->n", missed, missed).astype(np.float64)
        return self._half_eta * squared
