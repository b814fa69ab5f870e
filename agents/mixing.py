"""Objectives are mixed at the step: the weighted sum of what each motive pays."""

from collections.abc import Mapping, MutableMapping

import numpy as np

from agents.contract import Array, Batch, Motive


def mixed(
    batch: Batch,
    weights: Mapping[str, float],
    motives: Mapping[str, Motive],
    earned: MutableMapping[str, float],
    update: int,
) -> Array:
    """Return the step's reward, float64 ``[n]``, and add each motive's share to ``earned``.

    Rows of agents that have left are 0. Raises ``FloatingPointError`` naming the motive whose
    reward is not finite.
    """
    present = np.ones(len(batch.reward), bool) if batch.present is None else batch.present
    total = np.zeros(len(present))
    for name, weight in weights.items():
        reward = np.where(present, weight * motives[name].reward(batch), 0.0)
        if not np.isfinite(reward).all():
            raise FloatingPointError(f"update {update}: non-finite reward from objective {name}")
        earned[name] += float(reward.sum())
        total += reward
    return total
