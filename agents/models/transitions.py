"""Counted transitions: where actions led, over observations distinguished bit for bit.

This is the only model of the world an objective may use: a state is an observation's exact bytes,
so similarity between states is lost. Row 0 is the end, an absorbing state: a step that terminates
leads there. A truncated episode would have continued, so its last step leads to its final
observation as any other does. Steps of agents that have left are not counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.models.row_keys import exact, look_up, row_keys

END = 0
UNSEEN = -1
_SHIFT = 2**31  # no table has this many rows


class Ways(NamedTuple):
    """Everything that some cells (a state and an action) were seen to lead to, a row a way."""

    cell: Array  # int: index into the cells asked for
    end: Array  # int: row of the state it led to
    chance: Array  # float: its share of the cell's counts


@dataclass(frozen=True)
class TransitionTable:
    """All that was ever tried, arranged for value backups: cells sorted, each with its ways."""

    cells: Array  # int: row * actions + action
    rows: Array  # int: states in which something was tried
    ways: Ways
    first_way: Array  # int, one a cell
    first_cell: Array  # int, one a row

    def mean(self, worth: Array) -> Array:
        """Worth of each cell, ``[cells, k]``, where the states are worth ``[states, k]``."""
        if not len(self.cells):
            return worth[:0]
        matrix = self._matrix
        return np.asarray(matrix @ worth[: matrix.shape[1]])

    @cached_property
    def _matrix(self) -> Any:
        """Chances, ``[cells, states that something leads to]``, sparse."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - slow to load

        bounds = np.r_[self.first_way, len(self.ways.end)]
        shape = (len(self.cells), int(self.ways.end.max()) + 1)
        return csr_array((self.ways.chance, self.ways.end, bounds), shape)

    def best(self, worth: Array) -> Array:
        """Worth of the best cell of each of ``rows``, where the cells are worth ``[cells, k]``."""
        if not len(self.cells):
            return worth
        return _highest(worth, self.first_cell)

    def within(self, chosen: Array, names: Array, actions: int) -> "TransitionTable":
        """The part of some states, bool ``[states]``; ``rows`` and ends become ``names[state]``."""
        keep = chosen[self.cells // actions]
        ways = keep[self.ways.cell]
        cells, lengths = self.cells[keep], np.diff(self.first_way, append=len(ways))[keep]
        of = np.repeat(np.arange(len(cells)), lengths)
        kept = Ways(of, names[self.ways.end[ways]], self.ways.chance[ways])
        rows, first_cell = np.unique(cells // actions, return_index=True)
        return TransitionTable(cells, names[rows], kept, np.cumsum(lengths) - lengths, first_cell)


def _highest(table: Array, first: Array) -> Array:
    """``np.maximum.reduceat(table, first)``, which is slow where rows are long."""
    lengths = np.diff(first, append=len(table))
    most = int(lengths.max())
    if (lengths == most).all():
        return np.asarray(table.reshape(-1, most, table.shape[1]).max(1))
    found = table[first]
    for k in range(1, most):
        longer = np.flatnonzero(lengths > k)
        found[longer] = np.maximum(found[longer], table[first[longer] + k])
    return found


class Transitions:
    """Counts of (state, action, next state), kept sorted."""

    def __init__(self, size: int, actions: int) -> None:
        self.size, self.actions = size, actions
        self._rows: dict[bytes, int] = {}
        self._seen: list[Array] = []
        self._keys: Array = np.zeros(0, np.int64)  # cell * _SHIFT + end
        self._counts: Array = np.zeros(0, np.int64)
        self._index()

    def __len__(self) -> int:
        """Number of states, the end among them."""
        return len(self._seen) + 1

    @property
    def ways_known(self) -> int:
        """Number of distinct (state, action, next state) seen."""
        return len(self._keys)

    def find(self, observations: Array) -> Array:
        """Row of each observation ``[n, size]``, ``UNSEEN`` where it has none; int ``[n]``."""
        return look_up(repeat(self._rows), row_keys(exact(observations)), UNSEEN)

    def observations(self, rows: Array) -> Array:
        """What these rows look like, float32 ``[n, size]``; the end (row 0) looks like nothing."""
        return np.array([self._seen[row - 1] for row in rows.tolist()], np.float32)

    def arrivals(self, batch: Batch) -> Array:
        """Row of the state each environment arrived in: the end where it terminated."""
        return np.where(batch.terminated, END, self.find(batch.next_observation))

    def learn(self, rollout: Batch) -> None:
        """Count the steps of a rollout, every array ``[steps, n, ...]``."""
        here = np.ones(rollout.ended.shape, bool) if rollout.present is None else rollout.present
        starts = self._enter(rollout.observation[here])
        ends = self._enter(rollout.next_observation[here])
        ends = np.where(rollout.terminated[here], END, ends)
        cells = starts * self.actions + rollout.action[here]
        keys = np.concatenate([self._keys, cells * _SHIFT + ends])
        counts = np.concatenate([self._counts, np.ones(len(cells), np.int64)])
        self._keys, inverse = np.unique(keys, return_inverse=True)
        self._counts = np.zeros(len(self._keys), np.int64)
        np.add.at(self._counts, inverse, counts)
        self._index()

    def news(self, rollout: Batch) -> Array:
        """``learn``, and return the rows in which some action's chances are not what they were."""
        keys, before = self._keys, self._chances()
        self.learn(rollout)
        was = np.zeros(len(self._keys))
        was[np.searchsorted(self._keys, keys)] = before
        return np.unique(self._keys[was != self._chances()] // _SHIFT // self.actions)

    def leading_to(self, rows: Array, n: int) -> Array:
        """Rows from which at most ``n`` actions can lead to one of ``rows``, these among them."""
        starts, ends = self._keys // _SHIFT // self.actions, self._keys % _SHIFT
        for _ in range(n):
            rows = np.union1d(rows, starts[np.isin(ends, rows)])
        return rows

    def plan(self) -> TransitionTable:
        """Lay out everything tried so far."""
        cells, first_way = np.unique(self._keys // _SHIFT, return_index=True)
        rows, first_cell = np.unique(cells // self.actions, return_index=True)
        return TransitionTable(cells, rows, self.ways(cells), first_way, first_cell)

    def ways(self, cells: Array) -> Ways:
        """What these cells (``row * actions + action``) led to; nothing where never tried."""
        first, length = self._first[cells], self._first[cells + 1] - self._first[cells]
        which = np.repeat(np.arange(len(cells)), length)
        at = np.arange(len(which)) + np.repeat(first - np.cumsum(length) + length, length)
        totals = np.bincount(which, self._counts[at], len(cells))
        return Ways(which, self._keys[at] % _SHIFT, self._counts[at] / totals[which])

    def model(self, row: int, n: int) -> tuple[Array, int]:
        """Model ``[states, actions, states]`` of all that ``n`` actions can meet, and its start.

        An action never tried stays where it is.
        """
        rows = self._ball(row, n)
        cells = (rows[:, None] * self.actions + np.arange(self.actions)).ravel()
        ways = self.ways(cells)
        at = np.minimum(np.searchsorted(rows, ways.end), len(rows) - 1)
        inside = rows[at] == ways.end  # ends outside the model are dropped
        table = np.zeros((len(cells), len(rows)))
        table[ways.cell[inside], at[inside]] = ways.chance[inside]
        stay = table.sum(-1) < 1 - 1e-9  # never tried, or leading outside the model
        table[stay] = np.repeat(np.eye(len(rows)), self.actions, axis=0)[stay]
        shape = (len(rows), self.actions, len(rows))
        return table.reshape(shape), int(np.searchsorted(rows, row))

    def reach(self, row: int, n: int) -> int | None:
        """Number of states in which ``n`` actions can end; ``None`` where an end is random."""
        front = np.array([row])
        for _ in range(n):
            cells = (front[:, None] * self.actions + np.arange(self.actions)).ravel()
            length = self._first[cells + 1] - self._first[cells]
            if (length > 1).any():
                return None
            stays = front[(length.reshape(-1, self.actions) == 0).any(-1)]
            front = np.union1d(self._keys[self._first[cells[length > 0]]] % _SHIFT, stays)
        return len(front)

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of everything, by name."""
        seen = np.array(self._seen, np.float32).reshape(-1, self.size)
        return {
            f"{prefix}.observations": seen,
            f"{prefix}.keys": self._keys.copy(),
            f"{prefix}.counts": self._counts.copy(),
        }

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave. ``ValueError`` if it is of other observations."""
        seen = np.asarray(state[f"{prefix}.observations"], np.float32)
        if seen.shape[1:] != (self.size,):
            raise ValueError(f"states of shape {seen.shape} do not fit observations of {self.size}")
        self._seen = list(seen.copy())
        self._rows = {row.tobytes(): i for i, row in enumerate(self._seen, 1)}
        self._keys = state[f"{prefix}.keys"].copy()
        self._counts = state[f"{prefix}.counts"].copy()
        self._index()

    def _enter(self, observations: Array) -> Array:
        """Rows of observations ``[n, size]``; new ones get one, in order of appearance."""
        rows = self.find(observations)
        keys = row_keys(exact(observations)) if (rows == UNSEEN).any() else []
        for i in np.flatnonzero(rows == UNSEEN).tolist():
            if keys[i] not in self._rows:
                self._rows[keys[i]] = len(self)
                self._seen.append(np.frombuffer(keys[i], np.float32))
            rows[i] = self._rows[keys[i]]
        return rows

    def _chances(self) -> Array:
        """Share of each way in what its cell led to, in the order of ``_keys``."""
        _, cell = np.unique(self._keys // _SHIFT, return_inverse=True)
        return np.asarray(self._counts / np.bincount(cell, self._counts)[cell])

    def _index(self) -> None:
        cells = np.arange(len(self) * self.actions + 1)
        self._first = np.searchsorted(self._keys, cells * _SHIFT)

    def _ball(self, row: int, n: int) -> Array:
        """Rows that at most ``n`` actions can lead to, sorted."""
        found = front = np.array([row])
        for _ in range(n):
            cells = (front[:, None] * self.actions + np.arange(self.actions)).ravel()
            front = np.setdiff1d(self.ways(cells).end, found)
            found = np.union1d(found, front)
        return found
