"""Empowerment of the mazes: channel capacity of n moves, against closed forms and known values."""

import numpy as np
import pytest

import envs


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


def capacity(channel, gap=1e-8):
    """Bits of channels ``[..., inputs, outputs]``, and how far from them the truth may be.

    Blahut and Arimoto's own iteration crawls where inputs outnumber outputs, so an interior-point
    method does the work; their bounds (mean and largest divergence from the mix) certify it.
    """
    channel = np.asarray(channel, float)
    inputs = channel.shape[-2]
    own = (channel * np.log(channel, out=np.zeros_like(channel), where=channel > 0)).sum(-1)
    weight = np.full(own.shape, 1 / inputs)
    slack = level = None
    for _ in range(200):
        mix = np.maximum(np.einsum("...xy,...x->...y", channel, weight), 1e-300)
        divergence = own - np.einsum("...xy,...y->...x", channel, np.log(mix))
        lower = (weight * divergence).sum(-1)
        upper = divergence.max(-1)
        if (upper - lower < gap).all():
            break
        if slack is None:
            level = upper + 0.1
            slack = level[..., None] - divergence
        barrier = 0.1 * (weight * slack).mean(-1)
        pull = divergence - level[..., None] + barrier[..., None] / weight
        curved = np.einsum("...xy,...y,...zy->...xz", channel, 1 / mix, channel, optimize=True)
        curved = curved + (slack / weight)[..., None] * np.eye(inputs)
        sides = np.stack([pull, np.ones_like(pull)], axis=-1)
        ahead, even = np.moveaxis(np.linalg.solve(curved, sides), -1, 0)
        rise = (ahead.sum(-1) - (1 - weight.sum(-1))) / even.sum(-1)
        change = ahead - rise[..., None] * even
        give = (barrier[..., None] - slack * change) / weight - slack
        shrink = np.maximum(-change / weight, -give / slack).max(-1)
        stride = np.minimum(1.0, 0.9 / np.maximum(shrink, 1e-12))
        weight = weight + stride[..., None] * change
        slack = slack + stride[..., None] * give
        level = level + stride * rise
    return lower / np.log(2), (upper - lower) / np.log(2)


def summary(bits):
    return np.round([min(bits), max(bits), np.mean(bits)], 4)


def entropy(p):
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


@pytest.mark.parametrize("p", [0.05, 0.1, 0.11, 0.25])
def test_capacity_of_known_channels(p):
    symmetric = np.array([[1 - p, p], [p, 1 - p]])
    assert capacity(symmetric)[0] == pytest.approx(1 - entropy(p), abs=1e-8)
    one_sided = np.array([[1, 0], [p, 1 - p]])
    closed = np.log2(1 + (1 - p) * p ** (p / (1 - p)))
    assert capacity(one_sided)[0] == pytest.approx(closed, abs=1e-7)
    erasing = np.array([[1 - p, 0, p], [0, 1 - p, p]])
    assert capacity(erasing)[0] == pytest.approx(1 - p, abs=1e-8)


@pytest.mark.parametrize(
    ("p", "symmetric", "one_sided"),
    [
        (0.1, 0.531004406411, 0.762848252011),
        (0.25, 0.188721875541, 0.558238626737),
        (0.5, 0.0, 0.321928094887),
    ],
)
def test_capacity_in_known_digits(p, symmetric, one_sided):
    assert capacity(np.array([[1 - p, p], [p, 1 - p]]))[0] == pytest.approx(symmetric, abs=1e-8)
    assert capacity(np.array([[1, 0], [p, 1 - p]]))[0] == pytest.approx(one_sided, abs=1e-8)


def mixed_units(channel):
    """Blahut and Arimoto with a slip that reads well: base 2 inside, base e outside."""
    weight = np.full(len(channel), 1 / len(channel))
    for _ in range(100):
        back = channel * weight[:, None] / (weight @ channel)
        grown = np.exp((channel * np.log2(back)).sum(1))
        weight = grown / grown.sum()
    return max(np.log2(grown.sum()), 0.0)


@pytest.mark.parametrize(("p", "wrong"), [(0.1, 0.32338), (0.25, 0.0)])
def test_a_known_mistake_would_be_seen(p, wrong):
    """Negative control: what a published program gives for a noisy bit is not what ours does."""
    symmetric = np.array([[1 - p, p], [p, 1 - p]])
    assert mixed_units(symmetric) == pytest.approx(wrong, abs=5e-6)
    assert abs(capacity(symmetric)[0] - wrong) > 0.18


@pytest.mark.parametrize("seed", range(20))
def test_capacity_keeps_its_properties(seed):
    """At most the logarithm of inputs and outputs; blind to names, order and doubled inputs."""
    rng = np.random.default_rng(seed)
    inputs, outputs = rng.integers(2, 6, size=2)
    channel = rng.dirichlet(np.ones(outputs), size=inputs)
    bits = capacity(channel)[0]
    assert -1e-9 <= bits <= np.log2(min(inputs, outputs)) + 1e-9
    rows, columns = rng.permutation(inputs), rng.permutation(outputs)
    doubled = np.concatenate([channel, channel[:1]])
    for other in (channel[rows], channel[:, columns], doubled):
        assert capacity(other)[0] == pytest.approx(bits, abs=3e-8)


def test_capacity_of_a_typewriter_that_hits_the_next_key_half_the_time():
    keys = (np.eye(26) + np.roll(np.eye(26), 1, axis=1)) / 2
    bits, gap = capacity(keys)
    assert bits == pytest.approx(np.log2(13), abs=1e-8)
    assert gap < 1e-7


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
    assert np.allclose(capacity(channels(world, 2))[0], np.log2(reach(world, 2)), atol=1e-8)


SLIPPERY = {
    1: (0.678484, 1.652933, 1.433068),
    2: (1.045523, 2.497250, 2.129814),
    3: (1.627830, 2.940484, 2.539963),
}


def slippery(n):
    """Bits of every cell of the slippery maze, each within a hundred-millionth."""
    bits, gap = capacity(channels(envs.make_world("maze", slip=0.1), n))
    assert gap.max() < 2e-8
    return bits


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
