"""Objectives are mixed at the step: the weighted sum of what each motive pays."""

from collections.abc import Mapping, MutableMapping
from dataclasses import fields

import numpy as np

from agents.contract import Array, Batch, Motive


class Diary:
    """The steps of one rollout as the agent saw them, kept in arrays that are used again."""

    def __init__(self, steps: int, n: int, size: int, dimensions: int = 0) -> None:
        self._at, shape = 0, (steps, n)
        seen = np.zeros((2, *shape, size), np.float32)
        acted = np.zeros((*shape, dimensions), np.float32) if dimensions else np.zeros(shape, int)
        self._rollout = Batch(
            observation=seen[0],
            action=acted,
            next_observation=seen[1],
            reward=np.zeros(shape),
            terminated=np.zeros(shape, bool),
            ended=np.zeros(shape, bool),
            present=np.ones(shape, bool),
        )

    def begin(self) -> None:
        """Start another rollout over the last one."""
        self._at = 0

    def write(self, batch: Batch) -> None:
        """Add one step."""
        for each in fields(batch):
            value = getattr(batch, each.name)
            getattr(self._rollout, each.name)[self._at] = True if value is None else value
        self._at += 1

    def rollout(self) -> Batch:
        """All steps, ``[steps, n, ...]``: to be read before the next one is written."""
        return self._rollout


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
