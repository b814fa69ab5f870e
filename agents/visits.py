"""Exact counts of visits, for life or for the present episode of each environment."""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from agents.contract import Array

Memory = Literal["lifelong", "episodic"]


class Visits:
    """How often each key was met; a key is a row's exact bytes.

    ``meet`` counts in the order of the environments' index. Lifelong: one table for all.
    Episodic: a table an environment, emptied by ``forget``.
    """

    def __init__(self, width: int, memory: Memory, kind: type[np.generic] = np.float32) -> None:
        self._width, self._kind = width, kind
        self._episodic = memory == "episodic"
        self._tables: list[dict[bytes, int]] = [] if self._episodic else [{}]

    def meet(self, rows: Array, here: Array) -> Array:
        """Count rows ``[n, width]`` and return how often each was met, now included, ``[n]``.

        Rows not ``here`` are not met; theirs is 1.
        """
        rows = np.ascontiguousarray(rows, self._kind)
        visits = np.ones(len(rows))
        for i, table in self._at(rows, here):
            key = rows[i].tobytes()
            visits[i] = table[key] = table.get(key, 0) + 1
        return visits

    def begin(self, rows: Array, here: Array) -> None:
        """Meet the rows of environments whose episode has met nothing yet: where it starts."""
        rows = np.ascontiguousarray(rows, self._kind)
        for i, table in self._at(rows, here):
            if not table:
                table[rows[i].tobytes()] = 1

    def forget(self, ended: Array) -> None:
        """Empty the tables of episodes that ended."""
        if self._episodic:
            for i in np.flatnonzero(ended):
                self._tables[i] = {}

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of everything, by name; ``table`` says whose count it is."""
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
        fits = rows.ndim == 2 and rows.shape[1] == self._width  # noqa: PLR2004
        if not fits or not len(rows) == len(part["table"]) == len(part["visits"]):
            raise ValueError(f"counts of {rows.shape} do not fit keys of {self._width}")
        self._tables = [{} for _ in state[f"{prefix}.memory.tables"]]
        for table, row, visits in zip(part["table"], rows, part["visits"], strict=True):
            self._tables[table][row.tobytes()] = int(visits)

    def _at(self, rows: Array, here: Array) -> Iterator[tuple[int, dict[bytes, int]]]:
        """Each row that is here, and the table it belongs to."""
        if self._episodic and len(self._tables) != len(rows):
            self._tables = [{} for _ in range(len(rows))]
        for i in np.flatnonzero(here):
            yield int(i), self._tables[i if self._episodic else 0]


def exact(observations: Array) -> Array:
    """Float32 rows whose bytes are equal where the values are: ``-0.0`` is ``0.0``."""
    rows: Array = np.asarray(observations, np.float32) + np.float32(0.0)
    return rows


def signs(observations: Array, directions: Array) -> Array:
    """On which side ``(s, 1)`` lies of each of ``directions [bits, size + 1]``: bool ``[n, bits]``.

    Float64 and row by row, so that a state's bits do not hang on who is looked at beside it.
    """
    rows = np.asarray(observations, np.float64)
    along = np.einsum("nj,kj->nk", rows, directions[:, :-1]) + directions[:, -1]
    above: Array = along > 0
    return above


def hashes(observations: Array, directions: Array) -> Array:
    """``signs``, packed: uint8 ``[n, bits / 8]``."""
    return np.packbits(signs(observations, directions), axis=1)
