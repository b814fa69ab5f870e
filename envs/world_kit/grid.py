"""ASCII art to arrays and back, and the movement tables that batched grid worlds share.

A *cell* is an index into the cells that are not walls, counted row by row; walls have no index.
Moving is then one look-up per step for the whole batch, and a one-hot plane holds no dead inputs.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from envs.arrays import Array

WALL = "#"
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0))
"""Row and column change of actions 0 up, 1 down, 2 left, 3 right, 4 stay."""
MOVE_NAMES = ("up", "down", "left", "right", "stay")


@dataclass(frozen=True, eq=False)
class Grid:
    """The fixed part of a map: which cells there are and where each move leads."""

    board: Array  # str [rows, columns]: walls and blanks only
    cells: int
    position: Array  # int [cells]: index into the flattened board
    index: Array  # int [rows, columns]: cell, or ``cells`` where there is a wall
    step: Array  # int [cells * 5]: where a move leads; a wall leaves you where you are
    beyond: Array  # int [cells * 5]: the cell one further on, or ``cells`` if walled off


def letters(art: str) -> Array:
    """Turn ASCII art into a board: single letters ``[rows, columns]``."""
    return np.array([list(row) for row in art.strip("\n").split("\n")])


def text(board: Array) -> str:
    """Turn a board back into ASCII art."""
    return "\n".join("".join(row) for row in board)


@cache
def grid(art: str) -> Grid:
    """Build the movement tables of a map whose rim is all wall."""
    board = letters(art)
    open_ = board != WALL
    cells = int(open_.sum())
    index = np.full(board.shape, cells)
    index[open_] = np.arange(cells)
    rows, columns = np.nonzero(open_)
    step, beyond = np.empty((cells, 5), int), np.empty((cells, 5), int)
    for action, (down, right) in enumerate(MOVES):
        near = index[rows + down, columns + right]
        walled = near == cells
        step[:, action] = np.where(walled, np.arange(cells), near)
        # The rim is wall, so two steps away is on the board wherever one step away is open.
        far = index[(rows + 2 * down) % len(board), (columns + 2 * right) % board.shape[1]]
        beyond[:, action] = np.where(walled, cells, far)
    return Grid(
        board=np.where(open_, " ", WALL),
        cells=cells,
        position=rows * board.shape[1] + columns,
        index=index,
        step=step.ravel(),
        beyond=beyond.ravel(),
    )


def find(art: str, letter: str) -> Array:
    """Cells (int ``[k]``, row by row) where ``letter`` stands in the map."""
    board = letters(art)
    return np.asarray(grid(art).index[board == letter])


def room(size: int) -> str:
    """An empty square of ``size`` x ``size`` cells with a wall around it."""
    rim = WALL * (size + 2)
    return "\n".join([rim, *[WALL + " " * size + WALL] * size, rim])
