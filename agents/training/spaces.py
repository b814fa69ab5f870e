"""Spaces that learners support: boxes to observe, flattened; a discrete choice or a box to act."""

from math import prod
from typing import Any

import numpy as np
from gymnasium import spaces

from agents.arrays import Array


def flat_size(space: Any) -> int:
    """Return the length of a flattened observation; ``ValueError`` unless it is a ``Box``."""
    if not isinstance(space, spaces.Box):
        raise ValueError(  # noqa: TRY004 - a wrong env, not a wrong call
            f"observations must be a Box, got {space}: wrap the environment, for example in "
            "gymnasium.wrappers.FlattenObservation"
        )
    size = prod(space.shape)
    if size < 1:
        raise ValueError(f"observations are empty: {space}")
    return size


def action_count(space: Any) -> int:
    """Return the number of actions; ``ValueError`` unless the space is ``Discrete``."""
    if not isinstance(space, spaces.Discrete):
        other = ", or use learner 'sac'" if isinstance(space, spaces.Box) else ""
        raise ValueError(f"actions must be Discrete, got {space}: wrap it{other}")  # noqa: TRY004
    return int(space.n)


def action_box(space: Any) -> spaces.Box:
    """Return the space; ``ValueError`` unless it is a bounded ``Box`` of floats."""
    if not isinstance(space, spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        other = "use 'ppo', 'a2c' or 'dqn'" if isinstance(space, spaces.Discrete) else "wrap it"
        raise ValueError(f"learner 'sac' needs actions in a Box of floats, got {space}: {other}")
    if not space.is_bounded() or prod(space.shape) < 1:
        raise ValueError(f"learner 'sac' needs actions between bounds, got {space}: wrap it")
    return space


def first_action(space: Any) -> int:
    """Return what the env calls the first action, which agents call 0; 0 for a box, too."""
    return int(space.start) if isinstance(space, spaces.Discrete) else 0


def flatten(observations: Any, n: int) -> Array:
    """Return ``n`` observations as float32 ``[n, size]``; bytes are divided by 255, as in SB3.

    Always a new array: worlds may write their next observation over the last one.
    """
    raw = np.asarray(observations)
    flat = raw.reshape(n, -1).astype(np.float32)
    if raw.dtype == np.uint8:
        flat /= np.float32(255)
    return flat
