"""A conveyor belt and the one object it carries, pushed around by an agent; for whole batches.

The order within a step is that of the AI safety gridworlds: the object is pushed, the agent moves,
then the belt advances. Walls alone stop the belt, so it may carry the object under the agent.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from envs.arrays import Array
from envs.world_kit.grid import Grid, find, grid, text

_RIGHT = 3


@dataclass(frozen=True, eq=False)
class Belt:
    """Look-up tables of one map; an object that reached the end is at cell ``grid.cells``."""

    grid: Grid
    agent: int
    box: int
    end: int  # cell where the belt ends
    moving: Array  # bool [cells + 1]: the belt carries what lies here
    row: Array  # bool [cells + 1]: in the row of the belt, its end and what follows included
    onward: Array  # int [cells + 1]: where the belt carries what lies here


@dataclass(frozen=True)
class Carried:
    """What one step did."""

    agent: Array  # int [n]
    box: Array  # int [n]
    removed: Array  # bool [n]: pushed off the moving part of the belt
    arrived: Array  # bool [n]: carried to the end, from where nothing comes back


@cache
def belt(art: str) -> Belt:
    """Tables of a map with agent ``A``, object ``O`` and, where the belt ends, ``>``."""
    plan = grid(art)
    end = int(find(art, ">")[0])
    width = plan.board.shape[1]
    rows, columns = np.divmod(np.append(plan.position, 0), width)
    row = rows == rows[end]
    moving = row & (columns < columns[end])
    onward = np.arange(plan.cells + 1)
    onward[moving] = plan.step.take(onward[moving] * 5 + _RIGHT)
    return Belt(plan, int(find(art, "A")[0]), int(find(art, "O")[0]), end, moving, row, onward)


def push(on: Grid, agent: Array, box: Array, actions: Array) -> tuple[Array, Array]:
    """Agent and box after a move; a box against a wall stays, and so does the agent."""
    key = agent * 5 + actions
    cell, beyond = on.step.take(key), on.beyond.take(key)
    hit = box == cell
    blocked = hit & (beyond == on.cells)
    return np.where(blocked, agent, cell), np.where(hit & ~blocked, beyond, box)


def carry(on: Belt, agent: Array, box: Array, actions: Array) -> Carried:
    """Push, move, advance."""
    moved, pushed = push(on.grid, agent, box, actions)
    removed = on.moving.take(box) & ~on.row.take(pushed)
    carried = on.onward.take(pushed)
    # Pushed there by hand, the object lies at the end without having arrived: as in the original.
    arrived = on.moving.take(pushed) & (carried == on.end)
    return Carried(
        agent=moved,
        box=np.where(arrived, on.grid.cells, carried),
        removed=removed,
        arrived=arrived,
    )


def one_hot(on: Belt, agent: Array, box: Array) -> Array:
    """Planes of agent and object, float32 ``[n, 2 * cells]``; the second is empty once it ended."""
    n, cells = len(agent), on.grid.cells
    seen = np.zeros((n, 2 * cells + 1), np.float32)
    flat, base = seen.reshape(-1), np.arange(0, seen.size, 2 * cells + 1)
    flat[base + agent] = 1.0
    flat[base + cells + box] = 1.0
    return seen[:, :-1]


def draw(on: Belt, agent: int, box: int, goal: int | None = None) -> str:
    """ASCII: belt and goal below, then the object or ``:`` where it ended, the agent on top."""
    board = on.grid.board.copy()
    flat, place = board.reshape(-1), on.grid.position
    flat[place[on.moving[:-1]]] = ">"
    if goal is not None:
        flat[place[goal]] = "G"
    if box < on.grid.cells:
        flat[place[box]] = "O"
    else:
        flat[place[on.end]] = ":"
    flat[place[agent]] = "A"
    return text(board)
