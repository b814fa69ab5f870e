"""Exact counts of visits, over a whole run or the present episode of each environment."""

from collections.abc import Mapping
from itertools import compress
from typing import Literal

import numpy as np

from agents.arrays import Array
from agents.models.row_keys import earlier, look_up, row_keys, write_down

Memory = Literal["lifelong", "episodic"]


class Visits:
    """How often each key was met; a key is a row's exact bytes.

    ``meet`` counts in the order of the environments' index. Lifelong: one table for all.
    Episodic: a table an environment, emptied by ``forget``.
    """

    def __init__(self, width: int, memory: Memory, kind: type[np.generic] = np.float32) -> None:
        self._width, self._kind = width, kind
        self.episodic = memory == "episodic"
        self._tables: list[dict[bytes, int]] = [] if self.episodic else [{}]

    def meet(self, rows: Array, here: Array) -> Array:
        """Count rows ``[n, width]`` and return how often each was met, now included, ``[n]``.

        Rows not ``here`` are not met; theirs is 1.
        """
        visits = np.ones(len(rows))
        keys, tables = self._named(rows, here)
        now = look_up(tables, keys, 0) + 1
        if not self.episodic:
            now += earlier(keys)
        write_down(tables, keys, now)
        visits[here] = now
        return visits

    def begin(self, rows: Array, here: Array) -> None:
        """Meet the rows of environments whose episode has no visits yet: at its start."""
        self._resize(len(rows))
        started = np.fromiter(map(len, self._tables), np.int64, len(self._tables)) > 0
        keys, tables = self._named(rows, here & ~started)
        write_down(tables, keys, np.ones(len(keys), np.int64))

    def forget(self, ended: Array) -> None:
        """Empty the tables of episodes that ended."""
        if self.episodic:
            for i in np.flatnonzero(ended):
                self._tables[i] = {}

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of everything, by name; ``table`` is the index of a count's table."""
        places = [i for i, table in enumerate(self._tables) for _ in table]
        keys = np.frombuffer(b"".join(key for each in self._tables for key in each), self._kind)
        counts = [count for each in self._tables for count in each.values()]
        return {
            f"{prefix}.memory.tables": np.zeros(len(self._tables), np.uint8),
            f"{prefix}.memory.table": np.array(places, np.int64),
            f"{prefix}.memory.keys": keys.reshape(-1, self._width).copy(),
            f"{prefix}.memory.visits": np.array(counts, np.int64),
        }

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave."""
        part = {name: state[f"{prefix}.memory.{name}"] for name in ("table", "keys", "visits")}
        rows = np.asarray(part["keys"], self._kind)
        fits = rows.shape[1:] == (self._width,)
        if not fits or not len(rows) == len(part["table"]) == len(part["visits"]):
            raise ValueError(f"counts of {rows.shape} do not fit keys of {self._width}")
        self._tables = [{} for _ in state[f"{prefix}.memory.tables"]]
        for table, row, visits in zip(part["table"], rows, part["visits"], strict=True):
            self._tables[table][row.tobytes()] = int(visits)

    def _named(self, rows: Array, here: Array) -> tuple[list[bytes], list[dict[bytes, int]]]:
        """The key of each row that is here, and the table it belongs to."""
        self._resize(len(rows))
        keys = row_keys(np.asarray(rows[here], self._kind))
        if not self.episodic:
            return keys, self._tables * len(keys)
        return keys, list(compress(self._tables, here))

    def _resize(self, environments: int) -> None:
        if self.episodic and len(self._tables) != environments:
            self._tables = [{} for _ in range(environments)]


def signs(observations: Array, directions: Array) -> Array:
    """On which side ``(s, 1)`` lies of each of ``directions [bits, size + 1]``: bool ``[n, bits]``.

    Float64 and row by row, so that a state's bits do not depend on the rest of the batch.
    """
    rows = np.asarray(observations, np.float64)
    along = np.einsum("nj,kj->nk", rows, directions[:, :-1]) + directions[:, -1]
    above: Array = along > 0
    return above


def hashes(observations: Array, directions: Array) -> Array:
    """``signs``, packed: uint8 ``[n, bits / 8]``."""
    return np.packbits(signs(observations, directions), axis=1)
