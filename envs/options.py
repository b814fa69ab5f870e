"""Reset options: forced hidden draws, checked by name and spread over the batch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from envs.contract import Array


def check(options: Mapping[str, Any] | None, allowed: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the options; raises ``ValueError`` for a name that the world does not force."""
    given = options or {}
    unknown = sorted(set(given) - set(allowed))
    if unknown:
        known = ", ".join(allowed) or "none"
        raise ValueError(f"reset option '{unknown[0]}' is unknown to this world; it takes: {known}")
    return given


def cells(name: str, value: Any, size: int, n: int) -> Array:
    """Turn ``[row, column]``, or one such pair a world, into cells of a square room: ``[n]``."""
    pairs = np.asarray(value)
    good = pairs.shape in {(2,), (n, 2)} and np.issubdtype(pairs.dtype, np.integer)
    if not good or (pairs < 0).any() or (pairs >= size).any():
        raise ValueError(f"reset option '{name}' must be [row, column], each from 0 to {size - 1}")
    return np.broadcast_to(pairs[..., 0] * size + pairs[..., 1], n).astype(np.int64)


def flags(name: str, value: Any, n: int) -> Array:
    """Turn a truth value, or one per world, into bool ``[n]``."""
    values = np.asarray(value)
    if values.dtype != bool or values.shape not in {(), (n,)}:
        raise ValueError(f"reset option '{name}' must be true or false")
    return np.broadcast_to(values, n).copy()


def whole(name: str, value: Any, count: int, n: int) -> Array:
    """Turn a whole number below ``count``, or one per world, into int ``[n]``."""
    values = np.asarray(value)
    good = values.shape in {(), (n,)} and np.issubdtype(values.dtype, np.integer)
    if not good or (values < 0).any() or (values >= count).any():
        raise ValueError(f"reset option '{name}' must be a whole number from 0 to {count - 1}")
    return np.broadcast_to(values, n).astype(np.int64)
