"""Empowerment of Klyubin's maze, of an open room and of a torus, from the worlds' own dynamics."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

import envs
from agents.drives.channel_capacity import capacities
from agents.drives.empowerment import empowerment, outcomes, reach
from envs.worlds.maze import Maze
from sandbox.selftest.check import KnownNumber, known

Array = npt.NDArray[np.float64]
_OWN = "computed twice, independently"
_STILL = {
    1: ("I7", (1.0, 2.3219, 2.0297)),
    2: ("I8", (1.5850, 3.7004, 3.1570)),
    3: ("I8", (2.5850, 4.5236, 3.8815)),
    4: ("I8", (3.1699, 5.0875, 4.3924)),
    5: ("I9", (3.4594, 5.5236, 4.7834)),
    10: ("I9", (4.4594, 6.4094, 5.9316)),
}
_SLIPPERY = {
    1: ("I10", (0.678484, 1.652933, 1.433068)),
    2: ("I11", (1.045523, 2.497250, 2.129814)),
    3: ("I11", (1.627830, 2.940484, 2.539963)),
}


def checks() -> Iterator[KnownNumber]:
    """Counted where nothing is left to chance, certified capacities where something is."""
    yield from _open_rooms()
    yield from _klyubin()


def _open_rooms() -> Iterator[KnownNumber]:
    for n, states in ((1, 5), (2, 13), (3, 25), (5, 61)):
        yield known(
            "I5",
            f"torus of 11 x 11, {n} moves: least and most states",
            (states, states),
            0,
            lambda n=n: _ends("torus", n, 11)[[0, -1]],  # type: ignore[misc]
            "2n^2 + 2n + 1",
        )
    yield known(
        "I6",
        "open 10 x 10, from a corner, n=1, 2, 3, 5; best of n=5",
        (3, 6, 10, 21, 59),
        0,
        lambda: [*(reach(model("open"), n)[0] for n in (1, 2, 3, 5)), _ends("open", 5)[-1]],
        "counted",
    )
    yield known(
        "I6",
        "open 10 x 10, mean over cells, n=5, bits",
        5.286941,
        5e-7,
        lambda: float(np.mean(bits("open", 5))),
        _OWN,
    )


def _klyubin() -> Iterator[KnownNumber]:
    for n, (page, exact) in _STILL.items():
        yield known(
            page,
            f"Klyubin's maze, n={n}: least, most, mean bits",
            exact,
            5e-5,
            lambda n=n: _summary(bits("klyubin", n)),  # type: ignore[misc]
            "Klyubin et al. 2005 for n=5; else " + _OWN,
        )
    for n, (page, exact) in _SLIPPERY.items():
        yield known(
            page,
            f"Klyubin's maze, slip .1, n={n}: least, most, mean bits",
            exact,
            1e-6,
            lambda n=n: _summary(bits("klyubin", n, 0.1)),  # type: ignore[misc]
            _OWN,
        )
    yield known(
        "I10",
        "an inner cell of it, n=1, bits",
        np.log2(5) + 0.9 * np.log2(0.9) + 0.1 * np.log2(0.025),
        1e-6,
        lambda: float(bits("klyubin", 1, 0.1).max()),
        "log2 5 + .9 log2 .9 + .1 log2 .025",
    )
    yield known(
        "I12",
        "without chance, capacity less log2 of reach, n=2",
        0,
        1e-9,
        _certain,
        "closed form",
    )


@cache
def model(layout: str, slip: float = 0.0, size: int = 10) -> Array:
    """Where each move leads, ``[cells, 5, cells]``; the goal is a cell like any other."""
    world = envs.make_world("maze", layout=layout, size=size, slip=slip)
    if not isinstance(world, Maze):
        raise TypeError("the maze is another world")
    cells = size**2
    start = world.reset(np.random.default_rng(0), 5 * cells)
    every = type(start)(np.repeat(np.arange(cells), 5), np.zeros(5 * cells, int))
    rows = np.arange(5 * cells)
    table = np.zeros((cells, 5, cells))
    for chance, after, _ in world.branches(every, rows % 5):
        np.add.at(table, (rows // 5, rows % 5, after.agent), chance)
    return table


_GAP = 1e-7


@cache
def bits(layout: str, n: int, slip: float = 0.0) -> Array:
    """Empowerment of every cell; between bounds less than 1e-7 apart."""
    found = empowerment(model(layout, slip), n, gap=_GAP)
    if found.gap.max() > 2 * _GAP:
        raise ArithmeticError(f"the bounds are {found.gap.max():g} bits apart")
    return np.asarray(found.lower)


def _ends(layout: str, n: int, size: int = 10) -> Array:
    return np.sort(reach(model(layout, size=size), n)).astype(float)


def _summary(found: Array) -> list[float]:
    return [float(found.min()), float(found.max()), float(found.mean())]


def _certain() -> float:

    table = model("klyubin")
    found = capacities([outcomes(table, cell, 2) for cell in range(len(table))], 1e-11).lower
    return float(np.abs(found - np.log2(reach(table, 2))).max())
