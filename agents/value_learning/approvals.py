"""Inputs and targets of models that learn from shown approval."""

from collections.abc import Mapping

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.values_contract import Evidence


def answered(evidence: Evidence) -> Array:
    """Steps with a shown approval, bool ``[steps, episodes]``; NaN is none."""
    shown = evidence.steps.approval
    if shown is None:
        return np.zeros_like(evidence.present)
    found: Array = evidence.present & ~np.isnan(shown)
    return found


def what_was_done(observation: Array, action: Array, actions: int) -> Array:
    """Observation, action one-hot: float32 ``[n, size + actions]``."""
    chosen = np.eye(actions, dtype=np.float32)[action]
    return np.concatenate([np.asarray(observation, np.float32), chosen], axis=1)


def answered_steps(evidence: Evidence, actions: int) -> tuple[Array, Array]:
    """Inputs float32 ``[m, size + actions]`` and approvals float64 ``[m]`` of answered steps."""
    chosen, steps = answered(evidence), evidence.steps
    inputs = what_was_done(steps.observation[chosen], steps.action[chosen], actions)
    shown = np.zeros(0) if steps.approval is None else steps.approval[chosen]
    return inputs, np.asarray(shown, np.float64)


def rows(steps: Batch, chosen: Array) -> dict[str, Array]:
    """The fields of the ``chosen`` steps (bool ``[steps, n]``), flat: ``[m, ...]`` each."""
    named: Mapping[str, Array | None] = vars(steps)
    return {name: each[chosen] for name, each in named.items() if each is not None}
