"""A sample of all rows that were ever shown, of bounded size, every row with the same chance."""

from collections.abc import Mapping

import numpy as np

from agents.arrays import Array


class Reservoir:
    """Vitter 1985, algorithm R. Columns of one length; holds copies, in arrays of one size."""

    def __init__(self, blank: Mapping[str, Array], capacity: int, rng: np.random.Generator) -> None:
        """``blank``: one row of each column, for its shape and dtype."""
        self.columns = {
            name: np.zeros((capacity, *each.shape), each.dtype) for name, each in blank.items()
        }
        self._capacity = capacity
        self._shown = self._calls = 0
        self._seed = int(rng.integers(2**62))

    def __len__(self) -> int:
        """Rows held."""
        return min(self._shown, self._capacity)

    def held(self) -> dict[str, Array]:
        """What there is, by column; views."""
        return {name: each[: len(self)] for name, each in self.columns.items()}

    def add(self, rows: Mapping[str, Array]) -> None:
        """Show more rows, ``[n, ...]`` a column."""
        n = len(next(iter(rows.values())))
        rng = np.random.Generator(np.random.PCG64([self._seed, self._calls]))
        self._calls += bool(n)
        order = self._shown + np.arange(n)
        place = np.where(order < self._capacity, order, rng.integers(order + 1))
        (kept,) = (place < self._capacity).nonzero()
        for name, column in self.columns.items():
            column[place[kept]] = rows[name][kept]  # of two in one place, the later one stays
        self._shown += n

    def state(self) -> dict[str, Array]:
        """Copies of everything, by name."""
        counts = {"shown": self._shown, "calls": self._calls, "seed": self._seed}
        return {
            **{f"column.{name}": each.copy() for name, each in self.columns.items()},
            **{name: np.array(each, np.int64) for name, each in counts.items()},
        }

    def load(self, state: Mapping[str, Array]) -> None:
        """Take over what ``state`` gave."""
        self.columns = {name: state[f"column.{name}"].copy() for name in self.columns}
        self._shown, self._calls = int(state["shown"]), int(state["calls"])
        self._seed = int(state["seed"])


def prefixed(prefix: str, state: Mapping[str, Array]) -> dict[str, Array]:
    """The same arrays, their names after ``prefix`` and a dot."""
    return {f"{prefix}.{name}": each for name, each in state.items()}


def under(prefix: str, state: Mapping[str, Array]) -> dict[str, Array]:
    """Those arrays that ``prefixed`` named so, under their own names."""
    start = f"{prefix}."
    return {
        name.removeprefix(start): each for name, each in state.items() if name.startswith(start)
    }
