"""Rewards what another agent approves of; where it shows nothing, the approval predicted for it."""

from dataclasses import dataclass

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.objective_contract import row_by_row
from agents.value_learning.social import Apprentice, ValueLearningObjective


@dataclass(frozen=True)
class InternalSocialReward(ValueLearningObjective):
    """``U = R_e + P R_s + (1 - P) R_i`` (Rong & Kleiman-Weiner 2024, arXiv:2407.14681).

    ``R_e`` are the other objectives, by their weights. ``P`` is 1 on a step for which a
    caregiver showed approval, and the reward is that approval, ``R_s``; elsewhere ``P`` is 0 and
    the reward is ``R_i``, the model's regression of it. Convention: ``P`` is per step, so one
    caregiver may see some of the copies of an env; the model learns from every step with ``P`` 1.
    """

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Begin with an untrained model, which predicts 0 everywhere."""
        return _Conscience(self, observation_size, actions, rng)


class _Conscience(Apprentice):
    def reward(self, batch: Batch) -> Array:
        inside = self._valuer.reward(batch)
        if batch.approval is None:
            return inside
        shown = batch.here & ~np.isnan(batch.approval)
        found: Array = np.where(shown, batch.approval, inside)
        return found

    def rewards(self, rollout: Batch) -> Array:
        return row_by_row(self.reward, rollout)
