"""Keys of rows: their exact bytes, for tables that distinguish rows bit for bit."""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import repeat

import numpy as np

from agents.arrays import Array


def row_keys(rows: Array) -> list[bytes]:
    """Bytes of each row ``[n, width]``, made without a Python step a row."""
    rows = np.ascontiguousarray(rows)
    if not rows.shape[1]:
        return [b""] * len(rows)
    names: list[bytes] = rows.view(f"V{rows.itemsize * rows.shape[1]}").ravel().tolist()
    return names


def exact(observations: Array) -> Array:
    """Float32 rows whose bytes are equal where the values are: ``-0.0`` is ``0.0``."""
    rows: Array = np.asarray(observations, np.float32) + np.float32(0.0)
    return rows


def look_up(tables: Iterable[dict[bytes, int]], keys: list[bytes], unknown: int) -> Array:
    """Each key's number in its table, ``unknown`` where it has none; int ``[n]``."""
    get: Callable[[dict[bytes, int], bytes, int], int] = dict.get
    return np.fromiter(map(get, tables, keys, repeat(unknown)), np.int64, len(keys))


def write_down(tables: Iterable[dict[bytes, int]], keys: list[bytes], numbers: Array) -> None:
    """Write each key's number into its table; of equal keys in one table the last one stays."""
    deque(map(dict.__setitem__, tables, keys, numbers.tolist()), maxlen=0)


def earlier(keys: list[bytes]) -> Array:
    """How many equal keys stand before each, int ``[n]``."""
    if len(set(keys)) == len(keys):
        return np.zeros(len(keys), np.int64)
    names = dict(zip(keys, range(len(keys)), strict=True))
    of = look_up(repeat(names), keys, 0)
    order = np.argsort(of, kind="stable")
    begins = np.flatnonzero(np.diff(of[order], prepend=-1))
    lengths = np.diff(begins, append=len(keys))
    ranks = np.empty(len(keys), np.int64)
    ranks[order] = np.arange(len(keys)) - np.repeat(begins, lengths)
    return ranks
