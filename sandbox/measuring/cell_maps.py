"""The map of a world's cells, with its walls and the exact empowerment of each state."""

from dataclasses import dataclass, replace
from functools import cache
from math import isnan
from typing import Any

import numpy as np

from agents.arrays import Array
from agents.drives.empowerment import empowerment
from envs.contract import JointWorld, Outcome, World
from envs.planning.exact import Model
from sandbox.measuring.state_space import bounded, rows_of

STARTS = 4096
"""Resets drawn to find all first states."""
MOST_STATES = 1000
CHANNEL = "position"


@dataclass(frozen=True, eq=False)
class CellMap:
    """A world's states on its map."""

    shape: tuple[int, int]  # rows, columns
    keys: Array  # uint64 or bytes [states], sorted: see ``envs.planning.exact.key``
    cell: Array  # int [states]: where the agent is
    table: Array  # float [states, actions, states]: the world's dynamics

    def find(self, states: Any) -> Array:
        """Index of each of these states, int ``[n]``."""
        return rows_of(self.keys, states)

    def mean(self, worth: Array) -> Array:
        """Mean of ``worth [states]`` of each cell's states, float ``[cells]``; NaN where none."""
        cells = self.shape[0] * self.shape[1]
        counts = np.bincount(self.cell, minlength=cells)
        totals = np.bincount(self.cell, worth, cells)
        return np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)

    def total(self, worth: Array) -> Array:
        """Sum of ``worth [states]`` over each cell's states, float ``[cells]``; NaN where none."""
        cells = self.shape[0] * self.shape[1]
        counts = np.bincount(self.cell, minlength=cells)
        return np.where(counts > 0, np.bincount(self.cell, worth, cells), np.nan)

    def rows(self, cells: Array) -> tuple[tuple[float | None, ...], ...]:
        """``cells`` as the rows of a map, ``None`` for NaN."""
        table = np.asarray(cells, float).reshape(self.shape).tolist()
        return tuple(tuple(None if isnan(x) else x for x in row) for row in table)

    def walls(self) -> tuple[tuple[int, int, int, int], ...]:
        """Neighbouring cells (row, column, row, column) between which no action ever leads."""
        rows, columns = self.shape
        near = np.zeros((rows * columns,) * 2, bool)
        start, _, end = np.nonzero(self.table)
        near[self.cell[start], self.cell[end]] = True
        near |= near.T
        there = np.isin(np.arange(rows * columns), self.cell).reshape(rows, columns)
        found = []
        for row, column in np.argwhere(there).tolist():
            for to_row, to_column in ((row, column + 1), (row + 1, column)):
                if to_row < rows and to_column < columns and there[to_row, to_column]:
                    here, to = row * columns + column, to_row * columns + to_column
                    if not near[here, to]:
                        found.append((row, column, to_row, to_column))
        return tuple(found)


@cache
def cell_map(world: World) -> CellMap:
    """Explore a small world; ends of episodes are ignored: the agent goes on from there.

    Raises ``ValueError`` for a world whose observation does not say in which cell its agent is, or
    with more than 1000 states.
    """
    shape = _shape(world)
    starts = world.reset(np.random.default_rng(0), STARTS)  # no trial's stream: all are met
    model = bounded(_Endless(world), starts, MOST_STATES)
    place = world.observe(model.states)[:, list(world.channels()[CHANNEL])]
    return CellMap(shape, model.keys, place.argmax(1), _table(model))


@cache
def exact_bits(world: World, steps: int, gap: float) -> Array:
    """Empowerment of ``steps`` actions of every state of ``cell_map``, bits, float ``[states]``.

    The lower of two bounds ``gap`` bits apart; where nothing is left to chance they are one.
    """
    bits: Array = empowerment(cell_map(world).table, steps, gap=gap).lower
    bits.flags.writeable = False
    return bits


def _shape(world: World) -> tuple[int, int]:
    """The world's ``size`` and ``width``; without a width it is a square."""
    cells = len(world.channels().get(CHANNEL, ()))
    if isinstance(world, JointWorld) or not cells:
        raise ValueError("this world has no map: nothing it shows is a 'position' of one agent")
    rows = getattr(world, "size", 0)
    columns = getattr(world, "width", rows)
    if rows * columns != cells:
        raise ValueError(f"{cells} positions are no map of {rows} rows and {columns} columns")
    return rows, columns


@dataclass(frozen=True)
class _Endless:
    """A world in which episodes go on after their end."""

    world: World

    @property
    def action_names(self) -> tuple[str, ...]:
        return self.world.action_names

    def branches(self, state: Any, actions: Array) -> list[tuple[Array, Any, Outcome]]:
        return [
            (chance, after, replace(outcome, terminated=np.zeros_like(outcome.terminated)))
            for chance, after, outcome in self.world.branches(state, actions)
        ]


def _table(model: Model) -> Array:
    states, actions, branches = model.following.shape
    table = np.zeros((states, actions, states))
    here, action, _ = np.indices((states, actions, branches))
    # A branch of probability 0 is stored as an end, beyond the last state.
    real = model.chance > 0
    np.add.at(table, (here[real], action[real], model.following[real]), model.chance[real])
    return table
