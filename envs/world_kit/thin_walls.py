"""Grids whose walls stand between cells, as in Klyubin's maze: movement tables and maps.

Cells count row by row from the top left; every cell of the rectangle is one. A wall is named by
a cell and the side of it ("up", "down", "left", "right") on which it stands.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from envs.arrays import Array
from envs.world_kit.grid import MOVE_NAMES, MOVES, WALL

Wall = tuple[int, int, str]  # row, column, side


@dataclass(frozen=True, eq=False)
class FloorPlan:
    """Where each move leads, and a map two letters wide a cell with the walls in between."""

    step: Array  # int [cells * 5]: rows of actions 0 up, 1 down, 2 left, 3 right, 4 stay
    board: Array  # str [2 * rows + 1, 2 * columns + 1]
    position: Array  # int [cells]: index of a cell in the flattened board


@cache
def plan(rows: int, columns: int, walls: frozenset[Wall], *, wrap: bool = False) -> FloorPlan:
    """Tables of a rectangle with ``walls``; ``wrap`` joins opposite rims to a torus."""
    row, column = (each.ravel() for each in np.indices((rows, columns)))
    step = np.empty((rows * columns, len(MOVES)), int)
    for action, (down, right) in enumerate(MOVES):
        to_row, to_column = row + down, column + right
        if wrap:
            to_row, to_column = to_row % rows, to_column % columns
        inside = (to_row >= 0) & (to_row < rows) & (to_column >= 0) & (to_column < columns)
        step[:, action] = np.where(inside, to_row * columns + to_column, row * columns + column)
    for at_row, at_column, side in walls:
        cell, action = at_row * columns + at_column, MOVE_NAMES.index(side)
        behind = step[cell, action]
        step[behind, action ^ 1] = behind  # 0 and 1, 2 and 3 are each other's way back
        step[cell, action] = cell
    board = _board(rows, columns, walls, wrap=wrap)
    return FloorPlan(step.ravel(), board, (2 * row + 1) * (2 * columns + 1) + 2 * column + 1)


def _board(rows: int, columns: int, walls: frozenset[Wall], *, wrap: bool) -> Array:
    board = np.full((2 * rows + 1, 2 * columns + 1), " ")
    if not wrap:
        board[[0, -1]] = WALL
        board[:, [0, -1]] = WALL
    for row, column, side in walls:
        down, right = MOVES[MOVE_NAMES.index(side)]
        y, x = 2 * row + 1 + down, 2 * column + 1 + right
        # A wall reaches from post to post.
        board[y - abs(right) : y + abs(right) + 1, x - abs(down) : x + abs(down) + 1] = WALL
    return board
