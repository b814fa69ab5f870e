"""A table of action values that grows by a row for every new observation; NumPy alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from agents.arrays import Array
from agents.models.row_keys import exact, look_up, row_keys

_FIRST_CAPACITY = 256
UNSEEN = -1
"""Row of everything never met: it holds the initial value, and nothing is ever written to it."""


@dataclass(frozen=True)
class TableSettings:
    """Settings that a table's learner gets at its start; no edit changes them."""

    initial_value: float  # of every action before its first visit
    exploration_start: float  # share of random actions at first
    exploration_end: float  # and after ``exploration_share`` of ``total_steps``
    exploration_share: float
    total_steps: int
    steps_per_update: int  # of each environment
    step_size_decay: float = 0.0  # the n-th visit moves a cell by step_size / (1 + decay n)


class QTable:
    """Rows are found by the bytes of an observation, float32 ``[size]``; minus zero is zero."""

    def __init__(self, size: int, actions: int, initial_value: float) -> None:
        self.size, self.actions, self.initial_value = size, actions, initial_value
        self._rows: dict[bytes, int] = {}
        self._seen = np.zeros((_FIRST_CAPACITY, size), np.float32)
        # One row more than the capacity: the last one holds the values of everything unseen.
        self.values = np.full((_FIRST_CAPACITY + 1, actions), initial_value, np.float32)
        self.visits = np.zeros((_FIRST_CAPACITY + 1, actions), np.float32)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, observations: Array) -> Array:
        """Return the row of each observation ``[n, size]``, ``UNSEEN`` where it has none."""
        return look_up(repeat(self._rows), row_keys(exact(observations)), UNSEEN)

    def enter(self, observations: Array) -> Array:
        """Return the row of each observation ``[n, size]``; new ones get one, in order."""
        rows = self.find(observations)
        if (rows == UNSEEN).any():
            keys = row_keys(exact(observations))
            for i in np.flatnonzero(rows == UNSEEN).tolist():
                rows[i] = self._enter(keys[i], observations[i])
        return rows

    def _enter(self, key: bytes, observation: Array) -> int:
        row = self._rows.setdefault(key, len(self._rows))
        if row >= len(self._seen):
            self._grow(2 * len(self._seen))
        self._seen[row] = observation
        return row

    def _grow(self, capacity: int) -> None:
        count = min(len(self), len(self._seen))
        seen = np.zeros((capacity, self.size), np.float32)
        values = np.full((capacity + 1, self.actions), self.initial_value, np.float32)
        visits = np.zeros((capacity + 1, self.actions), np.float32)
        for new, old in ((seen, self._seen), (values, self.values), (visits, self.visits)):
            new[:count] = old[:count]
        self._seen, self.values, self.visits = seen, values, visits

    def move(self, cells: Array, targets: Array, step_size: float, decay: float) -> float:
        """Move cells (``row * actions + action``) to targets; the sum of squared distances before.

        A cell named ``k`` times goes the way of ``k`` moves, on average over their orders.
        """
        cells, inverse, counts = np.unique(cells, return_inverse=True, return_counts=True)
        values, visits = self.values.reshape(-1), self.visits.reshape(-1)
        old = values[cells].astype(np.float64)
        step = step_size / (1 + decay * visits[cells])
        errors = np.bincount(inverse, targets) / counts - old
        values[cells] = old + (1 - (1 - step) ** counts) * errors
        visits[cells] += counts
        return float(((targets - old[inverse]) ** 2).sum())

    def parameters(self) -> dict[str, Array]:
        """Return copies of the rows in use, by the names of an ``AgentState``."""
        n = len(self)
        return {
            "table.observations": self._seen[:n].copy(),
            "table.values": self.values[:n].copy(),
            "table.visits": self.visits[:n].copy(),
        }

    def load(self, parameters: Mapping[str, Array]) -> None:
        """Become the rows that ``parameters`` gave."""
        observations = np.asarray(parameters["table.observations"], np.float32)
        keys = row_keys(exact(observations))
        rows = {key: row for row, key in enumerate(keys)}
        if len(rows) != len(keys):
            raise ValueError("table.observations holds an observation twice")
        self._rows = {}
        self._grow(max(len(keys), _FIRST_CAPACITY))
        self._rows, n = rows, len(keys)
        self._seen[:n] = observations
        self.values[:n] = parameters["table.values"]
        self.visits[:n] = parameters["table.visits"]
