"""Nearest neighbours: among the states of one episode, or among many states of a run."""

from collections.abc import Mapping

import numpy as np

from agents.arrays import Array


class Trail:
    """The last ``most`` features of each environment's present episode."""

    def __init__(self, latent: int, most: int) -> None:
        self._latent, self._most = latent, most
        self._met: Array = np.zeros(0, np.int64)  # [n], steps of this episode and its start
        self._resize(0)

    def begin(self, rows: Array, here: Array) -> None:
        """Add ``rows [n, latent]`` where an episode has no features yet: at its start."""
        if len(self._met) != len(rows):
            self._resize(len(rows))
        self.add(rows, here & (self._met == 0))

    def add(self, rows: Array, here: Array) -> None:
        """Add ``rows [n, latent]`` of the environments ``here``; the oldest are overwritten."""
        who = np.flatnonzero(here)
        self._items[who, :, self._met[who] % self._most] = rows[who]
        self._met[who] += 1

    def nearest(self, rows: Array, k: int) -> Array:
        """Squared distances to the ``k`` nearest, float64 ``[n, <=k]``; inf where there are fewer.

        In no order.
        """
        longest = self._longest()
        away = self._items[:, :, :longest] - rows[:, :, None]
        squared = np.square(away, out=away).sum(axis=1).astype(np.float64)
        squared[np.arange(longest) >= self._met[:, None]] = np.inf
        return squared if longest <= k else np.partition(squared, k - 1, axis=1)[:, :k]

    def forget(self, ended: Array) -> None:
        """Begin again where the episode ended."""
        self._met[ended] = 0

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of everything, by name; entries of ended episodes are 0."""
        longest = self._longest()
        live = np.arange(longest) < self._met[:, None, None]
        return {
            f"{prefix}.memory.items": np.where(live, self._items[:, :, :longest], np.float32(0)),
            f"{prefix}.memory.met": self._met.copy(),
        }

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave."""
        items, met = state[f"{prefix}.memory.items"], state[f"{prefix}.memory.met"]
        if items.shape[1] != self._latent or items.shape[2] > self._most:
            raise ValueError(f"memories of {items.shape} do not fit {self._latent} x {self._most}")
        self._resize(len(met))
        self._items[:, :, : items.shape[2]] = items
        self._met = met.copy()

    def _longest(self) -> int:
        return min(int(self._met.max(initial=0)), self._most)

    def _resize(self, n: int) -> None:
        # The steps last: what is measured along them is then measured in one sweep.
        self._items: Array = np.zeros((n, self._latent, self._most), np.float32)
        self._met = np.zeros(n, np.int64)


class Cloud:
    """The last ``most`` observations of all environments, and their features."""

    def __init__(self, size: int, latent: int, most: int) -> None:
        self._most = most
        self.observations: Array = np.zeros((0, size), np.float32)
        self.features: Array = np.zeros((0, latent), np.float32)
        self._next = 0

    def add(self, observations: Array, features: Array) -> None:
        """Add rows in order; beyond ``most`` the oldest are overwritten."""
        free = min(self._most - len(self.features), len(features))
        if free:
            self.observations = np.concatenate([self.observations, observations[:free]])
            self.features = np.concatenate([self.features, features[:free]])
        late_observations, late = observations[free:][-self._most :], features[free:][-self._most :]
        places = (self._next + np.arange(len(late))) % self._most
        self.observations[places], self.features[places] = late_observations, late
        self._next = int((self._next + len(late)) % self._most)

    def nearest(self, rows: Array, k: int) -> Array:
        """Distances to the ``k`` nearest, or to all where there are fewer, ascending ``[n, <=k]``.

        Candidates are found by ``|b|^2 - 2 a.b`` around the centre of all, then measured without
        its rounding.
        """
        known = self.features
        if len(known) > k:
            centre = known.mean(axis=0)
            around = known - centre
            rough = np.einsum("mj,mj->m", around, around) - ((rows - centre) * 2) @ around.T
            known = known[_least(rough, k)]
        away = known.astype(np.float64) - rows[:, None]
        return np.sort(np.sqrt(np.einsum("nkj,nkj->nk", away, away)), axis=1)

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of everything, by name."""
        return {
            f"{prefix}.memory.observations": self.observations.copy(),
            f"{prefix}.memory.features": self.features.copy(),
            f"{prefix}.next": np.array(self._next, np.int64),
        }

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave."""
        self.observations = state[f"{prefix}.memory.observations"].copy()
        self.features = state[f"{prefix}.memory.features"].copy()
        self._next = int(state[f"{prefix}.next"])


def _least(values: Array, k: int) -> Array:
    """Places of the ``k`` least of each row, ``[n, k]``; spoils ``values``.

    For small ``k``, ``k`` passes take a third of the time of ``np.argpartition``.
    """
    rows, places = np.arange(len(values)), np.zeros((len(values), k), np.int64)
    for j in range(k):
        places[:, j] = values.argmin(axis=1)
        values[rows, places[:, j]] = np.inf
    return places
