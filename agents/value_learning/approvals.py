"""What models that learn from shown approval read of a step: who was told, and of what."""

from collections.abc import Mapping

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.values_contract import Evidence


def answered(evidence: Evidence) -> Array:
    """Steps whose worth somebody showed, bool ``[steps, episodes]``; NaN is silence."""
    shown = evidence.lived.approval
    if shown is None:
        return np.zeros_like(evidence.present)
    found: Array = evidence.present & ~np.isnan(shown)
    return found


def what_was_done(observation: Array, action: Array, actions: int) -> Array:
    """Observation, action one-hot: float32 ``[n, size + actions]``."""
    chosen = np.eye(actions, dtype=np.float32)[action]
    return np.concatenate([np.asarray(observation, np.float32), chosen], axis=1)


def lessons(evidence: Evidence, actions: int) -> tuple[Array, Array]:
    """Inputs float32 ``[m, size + actions]`` and approvals float64 ``[m]`` of answered steps."""
    told, lived = answered(evidence), evidence.lived
    inputs = what_was_done(lived.observation[told], lived.action[told], actions)
    shown = np.zeros(0) if lived.approval is None else lived.approval[told]
    return inputs, np.asarray(shown, np.float64)


def rows(lived: Batch, chosen: Array) -> dict[str, Array]:
    """The fields of the ``chosen`` steps (bool ``[steps, n]``), flat: ``[m, ...]`` each."""
    named: Mapping[str, Array | None] = vars(lived)
    return {name: each[chosen] for name, each in named.items() if each is not None}
