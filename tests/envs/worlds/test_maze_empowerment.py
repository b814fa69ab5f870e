"""Empowerment of the mazes: channel capacity of n moves, against closed forms and known values."""

import numpy as np
import pytest

import envs
from agents.drives.channel_capacity import capacity


def channels(world, n):
    """Every cell's channel from ``n`` moves to where they end: ``[cells, 5 ** n, cells]``."""
    cells = world.size**2
    kind = type(world.reset(np.random.default_rng(0), 1))
    every = kind(np.repeat(np.arange(cells), 5), np.zeros(5 * cells, int))
    one = np.zeros((cells, 5, cells))
    rows = np.arange(5 * cells)
    for chance, after, _ in world.branches(every, rows % 5):
        np.add.at(one, (rows // 5, rows % 5, after.agent), chance)
    far = one
    for _ in range(n - 1):
        far = np.einsum("sax,xby->saby", one, far).reshape(cells, -1, cells)
    return far


def reach(world, n):
    """Number of cells in which ``n`` moves can end, from each cell."""
    one = channels(world, 1).max(1) > 0
    return (np.linalg.matrix_power(one.astype(float), n) > 0).sum(1)


def summary(bits):
    return np.round([min(bits), max(bits), np.mean(bits)], 4)


def test_a_torus_lets_n_moves_end_in_a_diamond():
    for size in (9, 10):
        world = envs.make_world("maze", layout="torus", size=size)
        for n, cells in ((1, 5), (2, 13), (3, 25), (4, 41)):
            assert set(reach(world, n)) == {cells}
    wide = envs.make_world("maze", layout="torus", size=11)
    assert set(reach(wide, 5)) == {61}
    assert np.round(np.log2([5, 13, 25, 61]), 4).tolist() == [2.3219, 3.7004, 4.6439, 5.9307]


def test_an_open_room_costs_its_corners():
    world = envs.make_world("maze", layout="open")
    assert [reach(world, n)[0] for n in (1, 2, 3, 5)] == [3, 6, 10, 21]
    assert reach(world, 5).max() == 59  # not 61: no cell is five steps from all four walls
    assert np.log2(reach(world, 5)).mean() == pytest.approx(5.286941, abs=5e-7)


@pytest.mark.parametrize(
    ("n", "least", "most", "mean"),
    [
        (1, 1.0, 2.3219, 2.0297),
        (2, 1.5850, 3.7004, 3.1570),
        (3, 2.5850, 4.5236, 3.8815),
        (4, 3.1699, 5.0875, 4.3924),
        (5, 3.4594, 5.5236, 4.7834),
        (10, 4.4594, 6.4094, 5.9316),
    ],
)
def test_klyubins_maze(n, least, most, mean):
    bits = np.log2(reach(envs.make_world("maze"), n))
    assert summary(bits).tolist() == [least, most, mean]


def test_without_slip_capacity_is_the_logarithm_of_the_reach():
    world = envs.make_world("maze")
    assert np.allclose(capacity(channels(world, 2)).lower, np.log2(reach(world, 2)), atol=1e-8)


SLIPPERY = {
    1: (0.678484, 1.652933, 1.433068),
    2: (1.045523, 2.497250, 2.129814),
    3: (1.627830, 2.940484, 2.539963),
}


def slippery(n):
    """Bits of every cell of the slippery maze, each within a hundred-millionth."""
    bits = capacity(channels(envs.make_world("maze", slip=0.1), n))
    assert bits.gap.max() < 2e-8
    return bits.lower


def assert_known(bits, n):
    assert np.allclose([min(bits), max(bits), np.mean(bits)], SLIPPERY[n], atol=5.1e-7, rtol=0)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_slippery_maze(n):
    assert_known(slippery(n), n)


def test_an_inner_cell_of_the_slippery_maze_has_a_closed_form():
    closed = np.log2(5) + 0.9 * np.log2(0.9) + 0.1 * np.log2(0.025)
    assert max(slippery(1)) == pytest.approx(closed, abs=1e-6)


def test_the_best_way_out_is_a_shortest_path():
    world = envs.make_world("maze")
    state = world.reset(np.random.default_rng(0), 1, {"agent": [9, 9]})
    steps, outcome = 0, None
    while outcome is None or not outcome.terminated[0]:
        actions = world.act("reward_optimal", state, np.random.default_rng(0))
        state, outcome = world.step(state, actions, None)
        steps += 1
    board = world.render_text(world.reset(np.random.default_rng(0), 1, {"agent": [9, 9]}), 0)
    assert steps == walk(board.split("\n"))


def walk(rows):
    """Steps from A to G by flood on the drawn map, in which a cell is two letters wide."""
    place = {rows[y][x]: (y, x) for y in range(len(rows)) for x in range(len(rows[0]))}
    front, seen, steps = {place["A"]}, set(), 0
    while place["G"] not in front:
        seen |= front
        near = {(y + a, x + b) for y, x in front for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1))}
        front = {(y, x) for y, x in near if rows[y][x] != "#"} - seen
        steps += 1
    return steps / 2
