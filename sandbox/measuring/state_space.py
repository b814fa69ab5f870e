"""Enumerating a world's states for exact answers, up to a limit."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.arrays import Array
from envs.contract import Outcome
from envs.planning.exact import Branching, Model, explore, key


class TooLargeError(ValueError):
    """More states than may be enumerated."""


def bounded(world: Branching, starts: Any, most: int) -> Model:
    """As ``envs.planning.exact.explore``; raises ``TooLargeError`` beyond ``most`` states."""
    return explore(_Bounded(world, most), starts)


def rows_of(keys: Array, states: Any) -> Array:
    """Index of each of these states among the sorted ``keys`` of a model, int ``[n]``.

    Raises ``ValueError`` for a state that exploring from the starts never met.
    """
    wanted = key(states)
    rows = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    if (keys[rows] != wanted).any():
        raise ValueError("a state to ask about cannot be reached from this world's starts")
    return np.asarray(rows)


class _Bounded:
    """A world that raises ``TooLargeError`` beyond a number of states."""

    def __init__(self, world: Branching, most: int) -> None:
        self._world, self._most = world, most
        self.action_names = world.action_names
        self._left = most * len(self.action_names)

    def branches(self, state: Any, actions: Array) -> Sequence[tuple[Array, Any, Outcome]]:
        self._left -= len(actions)
        if self._left < 0:
            raise TooLargeError(f"this world has more than {self._most} states")
        return self._world.branches(state, actions)
