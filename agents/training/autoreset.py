"""Reading a vector env that restarts ended episodes within the step: finals, executed actions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from agents.arrays import Array
from agents.training.spaces import flatten


def check_restarts(env: Any) -> None:
    """Raise ``ValueError`` unless ended episodes restart in the same step."""
    mode = env.metadata.get("autoreset_mode")
    if mode != AutoresetMode.SAME_STEP:
        raise ValueError(
            f"the vector env restarts episodes by {mode}, this learner needs SAME_STEP: pass "
            "vector_kwargs={'autoreset_mode': AutoresetMode.SAME_STEP} to gymnasium.make_vec"
        )


def final_observations(observations: Array, info: Mapping[str, Any], ended: Array) -> Array:
    """Return what the step itself led to: the final observation where an episode ended."""
    (rows,) = ended.nonzero()
    if not rows.size:
        return observations
    if "final_obs" not in info:
        raise ValueError("an episode ended without info['final_obs']: not a SAME_STEP vector env")
    final = info["final_obs"]
    last = flatten([final[i] for i in rows.tolist()], rows.size)
    following = observations.copy()
    following[rows] = last.reshape(rows.size, *observations.shape[1:])
    return following


def executed_actions(chosen: Array, info: Mapping[str, Any]) -> Array:
    """Return the actions that were carried out: the chosen ones unless ``info`` says otherwise.

    Gymnasium puts the info of the last step of an ended copy under ``final_info``.
    """
    found = chosen
    for each in (info, info.get("final_info") or {}):
        if "executed" in each:
            actions = np.asarray(each["executed"])
            found = np.where(each.get("_executed", True), actions, found).astype(chosen.dtype)
    return found
