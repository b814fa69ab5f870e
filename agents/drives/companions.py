"""Counts of where another agent went, given the agent's own part of the observation.

An observation falls into the columns that show the other and all the rest, the agent's own part.
Both are compared exactly, to the bit. Row 0 of either stands for what was never seen.
"""

from collections.abc import Mapping
from itertools import repeat

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.models.row_keys import exact, look_up, row_keys

UNSEEN = 0


class _Rows:
    """Numbers for different vectors, in order of appearance, from 1."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._number: dict[bytes, int] = {}
        self._seen: list[bytes] = []

    def __len__(self) -> int:
        return len(self._seen) + 1 + (not self.size)

    def find(self, vectors: Array, *, learn: bool = False) -> Array:
        """Number of each vector ``[n, size]``, int64 ``[n]``; ``learn``: new ones get one."""
        if not self.size:  # no columns: all are equal
            return np.ones(len(vectors), np.int64)
        names = row_keys(exact(vectors))
        if learn:
            new = [each for each in dict.fromkeys(names) if each not in self._number]
            self._number.update(zip(new, range(len(self), len(self) + len(new)), strict=True))
            self._seen += new
        return look_up(repeat(self._number), names, UNSEEN)

    def state(self) -> Array:
        """All of them, float32 ``[rows, size]``."""
        data = np.frombuffer(b"".join(self._seen), np.float32)
        return data.reshape(len(self._seen), self.size).copy()

    def load(self, seen: Array) -> None:
        """Take over what ``state`` gave. ``ValueError`` if it is of another size."""
        if seen.shape[1:] != (self.size,):
            raise ValueError(f"vectors of shape {seen.shape} do not fit a part of {self.size}")
        self._seen = row_keys(np.asarray(seen, np.float32))
        self._number = {name: k for k, name in enumerate(self._seen, 1)}


class CompanionCounts:
    """Counts of the other's moves from each place, for each own part of the agent."""

    def __init__(self, size: int, first: int, last: int) -> None:
        self._columns = np.arange(size)
        self._other = (self._columns >= first) & (self._columns < last)
        self.places, self._own = _Rows(int(self._other.sum())), _Rows(int((~self._other).sum()))
        self._keys: Array = np.zeros((0, 3), np.int64)  # own part, place, next place
        self._counts: Array = np.zeros(0, np.int64)

    def find(self, observations: Array) -> tuple[Array, Array]:
        """Rows of the own part and of the other's place, int ``[n]`` each."""
        return self._own.find(observations[:, ~self._other]), self.places.find(
            observations[:, self._other]
        )

    def learn(self, rollout: Batch) -> None:
        """Count the steps of a rollout, every array ``[steps, n, ...]``; ends go nowhere."""
        here = ~rollout.terminated
        if rollout.present is not None:
            here = here & rollout.present
        before, after = rollout.observation[here], rollout.next_observation[here]
        own = self._own.find(before[:, ~self._other], learn=True)
        start = self.places.find(before[:, self._other], learn=True)
        end = self.places.find(after[:, self._other], learn=True)
        keys = np.concatenate([self._keys, np.stack([own, start, end], axis=1)])
        counts = np.concatenate([self._counts, np.ones(len(own), np.int64)])
        self._keys, back = np.unique(keys, axis=0, return_inverse=True)
        self._counts = np.bincount(back.ravel(), counts, len(self._keys)).astype(np.int64)

    def chances(self, own: int) -> Array:
        """Share of each next place, float ``[places, places]``, row 0 being no place.

        Where the other was never seen under this own part, it stays.
        """
        size = len(self.places)
        table = np.zeros((size, size))
        here = self._keys[:, 0] == own
        table[self._keys[here, 1], self._keys[here, 2]] = self._counts[here]
        unseen = ~table.any(axis=1)
        table[unseen] = np.eye(size)[unseen]
        return np.asarray(table / table.sum(axis=1, keepdims=True))

    def __len__(self) -> int:
        """Number of rows of own parts, the unseen among them."""
        return len(self._own)

    def state(self) -> dict[str, Array]:
        """Copies of everything, by name."""
        return {
            "own": self._own.state(),
            "places": self.places.state(),
            "moves": self._keys.copy(),
            "counts": self._counts.copy(),
        }

    def load(self, state: Mapping[str, Array]) -> None:
        """Take over what ``state`` gave. ``ValueError`` if it is of other observations."""
        self._own.load(state["own"])
        self.places.load(state["places"])
        self._keys, self._counts = state["moves"].copy(), state["counts"].copy()
