"""What the learners can live on: flattened boxes to see, one discrete choice to act."""

from math import prod
from typing import Any

import numpy as np
from gymnasium import spaces

from agents.contract import Array


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
        raise ValueError(f"actions must be Discrete, got {space}: wrap it")  # noqa: TRY004
    return int(space.n)


def flatten(observations: Any, n: int) -> Array:
    """Return ``n`` observations as float32 ``[n, size]``; bytes are divided by 255, as in SB3.

    Always a new array: worlds may write their next observation over the last one.
    """
    raw = np.asarray(observations)
    flat = raw.reshape(n, -1).astype(np.float32)
    if raw.dtype == np.uint8:
        flat /= np.float32(255)
    return flat
