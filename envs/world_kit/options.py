"""Reset options: forced hidden draws, checked by name and spread over the batch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from envs.arrays import Array


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
    pairs = _array(name, value)
    if not _whole(pairs, size, {(2,), (n, 2)}):
        raise ValueError(f"reset option '{name}' must be [row, column], each from 0 to {size - 1}")
    return np.broadcast_to(pairs[..., 0] * size + pairs[..., 1], n).astype(np.int64)


def flags(name: str, value: Any, n: int) -> Array:
    """Turn a truth value, or one per world, into bool ``[n]``."""
    values = _array(name, value)
    if values.dtype != bool or values.shape not in {(), (n,)}:
        raise ValueError(f"reset option '{name}' must be true or false")
    return np.broadcast_to(values, n).copy()


def whole(name: str, value: Any, count: int, n: int, shape: tuple[int, ...] = ()) -> Array:
    """Turn whole numbers below ``count``, or as many per world, into int ``[n, *shape]``."""
    values = _array(name, value)
    if not _whole(values, count, {shape, (n, *shape)}):
        many = f"{' x '.join(map(str, shape))} whole numbers" if shape else "a whole number"
        raise ValueError(f"reset option '{name}' must be {many} from 0 to {count - 1}")
    return np.broadcast_to(values, (n, *shape)).astype(np.int64)


def finite(name: str, value: Any, n: int, shape: tuple[int, ...] = ()) -> Array:
    """Turn finite numbers, or as many per world, into float ``[n, *shape]``."""
    values = _array(name, value)
    good = values.shape in {shape, (n, *shape)} and values.dtype.kind in "iuf"
    if not good or not np.isfinite(values).all():
        many = f"{' x '.join(map(str, shape))} finite numbers" if shape else "a finite number"
        raise ValueError(f"reset option '{name}' must be {many}")
    return np.broadcast_to(values, (n, *shape)).astype(float)


def _array(name: str, value: Any) -> Array:
    try:
        return np.asarray(value)
    except ValueError:  # rows of unlike lengths
        raise ValueError(f"reset option '{name}' must have rows of one length") from None


def _whole(values: Array, count: int, shapes: set[tuple[int, ...]]) -> bool:
    good = values.shape in shapes and np.issubdtype(values.dtype, np.integer)
    return bool(good and (values >= 0).all() and (values < count).all())
