"""Capacity and empowerment: closed forms, known mazes, invariances, and rewards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import envs
from agents.drives.channel_capacity import capacities, capacity
from agents.drives.empowerment import empowerment, outcomes, reach
from sandbox.selftest.channels import mixed_logarithms
from tests.agents.mazes import model

seeds = st.integers(0, 2**32 - 1)


def entropy(p):
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


# --- channels whose capacity is known ----------------------------------------------------------


def symmetric(p):
    return np.array([[1 - p, p], [p, 1 - p]])


def one_sided(p):
    return np.array([[1, 0], [p, 1 - p]])


SYMMETRIC = {0.05: 0.713603042884, 0.1: 0.531004406411, 0.11: 0.500084041835, 0.25: 0.188721875541}
ONE_SIDED = {0.1: 0.762848252011, 0.25: 0.558238626737, 0.5: 0.321928094887}


def assert_it_knows_symmetric_channels(bits):
    for p, known in SYMMETRIC.items():
        assert bits(symmetric(p)) == pytest.approx(known, abs=1e-9)
        assert known == pytest.approx(1 - entropy(p), abs=5e-13)
    assert bits(symmetric(0.5)) == pytest.approx(0, abs=1e-9)


def test_capacity_of_symmetric_channels():
    assert_it_knows_symmetric_channels(lambda channel: capacity(channel).lower)


def test_a_plausible_wrong_capacity_fails_the_same_test():
    """A published program has this slip, and prints these numbers."""
    assert mixed_logarithms(symmetric(0.1)) == pytest.approx(0.32338, abs=5e-6)
    assert mixed_logarithms(symmetric(0.25)) == 0
    with pytest.raises(AssertionError):
        assert_it_knows_symmetric_channels(mixed_logarithms)


@pytest.mark.parametrize("p", ONE_SIDED)
def test_capacity_of_one_sided_channels(p):
    bits = capacity(one_sided(p), gap=1e-11)
    closed = np.log2(1 + (1 - p) * p ** (p / (1 - p)))
    assert ONE_SIDED[p] == pytest.approx(closed, abs=5e-13)
    assert bits.lower == pytest.approx(closed, abs=1e-10)


def test_the_best_inputs_of_the_even_one_sided_channel_are_three_to_two():
    known = {}
    capacities([one_sided(0.5)], 1e-12, known)
    (weights,) = known.values()
    assert sorted(weights) == pytest.approx([0.4, 0.6], abs=1e-5)


@pytest.mark.parametrize("e", [0.1, 0.3, 0.5])
def test_capacity_of_erasing_channels(e):
    erasing = np.array([[1 - e, 0, e], [0, 1 - e, e]])
    assert capacity(erasing).lower == pytest.approx(1 - e, abs=1e-9)


def test_capacity_of_a_typewriter_that_hits_the_next_key_half_the_time():
    keys = (np.eye(26) + np.roll(np.eye(26), 1, axis=1)) / 2
    assert capacity(keys).lower == pytest.approx(3.700439718, abs=5e-10)
    assert np.log2(13) == pytest.approx(3.700439718, abs=5e-10)


@pytest.mark.parametrize(
    ("channel", "reason"),
    [
        ([[0.5, 0.6]], "is a distribution"),
        ([[1.5, -0.5]], "is a distribution"),
        ([[np.nan, 1.0]], "is a distribution"),
        ([1.0], "has inputs and outputs"),
        (np.zeros((2, 0)), "has inputs and outputs"),
    ],
)
def test_what_is_no_channel_is_refused(channel, reason):
    with pytest.raises(ValueError, match=reason):
        capacity(np.array(channel))


# --- random channels ---------------------------------------------------------------------------


def a_channel(rng, inputs=None, outputs=None):
    """Rows sharp and blunt, some of them with zeros."""
    inputs, outputs = inputs or rng.integers(1, 9), outputs or rng.integers(1, 9)
    channel = rng.dirichlet(np.full(outputs, rng.choice([0.1, 1.0, 10.0])), inputs)
    channel[channel < 1e-3] = 0
    return channel / channel.sum(1, keepdims=True)


def arimoto(channel, rounds=400):
    """Bounds by the textbook iteration, for comparison."""
    weights = np.full(len(channel), 1 / len(channel))
    logs = np.log2(np.where(channel > 0, channel, 1))
    for _ in range(rounds):
        mix = np.maximum(weights @ channel, 1e-300)
        divergence = (channel * (logs - np.log2(mix))).sum(1)
        lower, upper = weights @ divergence, divergence.max()
        weights = weights * np.exp2(divergence)
        weights /= weights.sum()
    return lower, upper


@given(seeds)
def test_the_bounds_hold_and_the_gap_is_what_was_asked_for(seed):
    channel = a_channel(np.random.default_rng(seed))
    bits = capacity(channel, gap=1e-8)
    lower, upper = arimoto(channel)

    assert 0 <= bits.gap <= 1.1e-8
    assert bits.lower <= upper + 1e-9
    assert bits.upper >= lower - 1e-9
    assert -1e-12 <= bits.lower <= np.log2(min(channel.shape)) + 1e-9


@given(seeds)
def test_names_orders_and_repetitions_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    channel = a_channel(rng)
    inputs, outputs = channel.shape
    bits = capacity(channel).lower
    again = channel[rng.integers(inputs, size=3)]
    share = rng.uniform(0.1, 0.9, outputs)
    for same in (
        channel[rng.permutation(inputs)],
        channel[:, rng.permutation(outputs)],
        np.concatenate([channel, again]),
        np.concatenate([channel, channel[:1] * 0.5 + channel[-1:] * 0.5]),  # no new influence
        np.concatenate([channel * share, channel * (1 - share)], axis=1),  # a coin shown along
        np.concatenate([channel, np.zeros((inputs, 2))], axis=1),
    ):
        assert capacity(same).lower == pytest.approx(bits, abs=2.1e-8)


@given(seeds)
def test_a_batch_is_its_channels_one_by_one(seed):
    rng = np.random.default_rng(seed)
    batch = np.stack([a_channel(rng, 5, 4) for _ in range(6)]).reshape(2, 3, 5, 4)
    whole = capacity(batch)
    alone = [[capacity(channel) for channel in row] for row in batch]

    assert whole.lower.shape == (2, 3)
    np.testing.assert_allclose(whole.lower, [[e.lower for e in row] for row in alone], atol=1e-12)
    np.testing.assert_allclose(whole.upper, [[e.upper for e in row] for row in alone], atol=1e-12)


def test_rows_that_differ_by_rounding_are_solved_once_and_certified_as_given():
    channel = symmetric(0.3)
    copies = np.concatenate([channel] * 20)
    copies += np.random.default_rng(0).uniform(-1e-15, 1e-15, (40, 1)) * [1, -1]
    known = {}
    bits = capacities([copies, channel, channel[::-1]], 1e-8, known)

    assert [len(weights) for weights in known.values()] == [2]
    np.testing.assert_allclose(bits.lower, 1 - entropy(0.3), atol=1e-9)
    assert bits.gap.max() < 1e-8


def test_no_channels_have_no_capacity():
    assert capacities([]).lower.shape == (0,)


# --- empowerment of known worlds ---------------------------------------------------------------


@pytest.mark.parametrize(("n", "cells"), [(1, 5), (2, 13), (3, 25), (5, 61)])
def test_on_a_torus_everybody_reaches_a_diamond(n, cells):
    bits = empowerment(model(envs.make_world("maze", layout="torus", size=11)), n)
    assert set(reach(model(envs.make_world("maze", layout="torus", size=11)), n)) == {cells}
    assert cells == 2 * n * n + 2 * n + 1
    known = {1: 2.3219, 2: 3.7004, 3: 4.6439, 5: 5.9307}[n]
    assert np.round(bits.lower, 4).tolist() == [known] * 121
    assert not bits.gap.any()


def test_in_an_open_room_walls_and_corners_cost():
    room = model(envs.make_world("maze", layout="open"))
    assert [reach(room, n)[0] for n in (1, 2, 3, 5)] == [3, 6, 10, 21]
    assert reach(room, 5).max() == 59
    assert empowerment(room, 5).lower.mean() == pytest.approx(5.286941, abs=5e-7)


@pytest.mark.parametrize(
    ("n", "known"),
    [
        (1, (1.0000, 2.3219, 2.0297)),
        (2, (1.5850, 3.7004, 3.1570)),
        (3, (2.5850, 4.5236, 3.8815)),
        (4, (3.1699, 5.0875, 4.3924)),
        (5, (3.4594, 5.5236, 4.7834)),
        (10, (4.4594, 6.4094, 5.9316)),
    ],
)
def test_klyubins_maze(n, known):
    bits = empowerment(model(envs.make_world("maze")), n).lower
    assert np.round([bits.min(), bits.max(), bits.mean()], 4).tolist() == list(known)


def test_how_many_cells_the_maze_lets_reach():
    maze = model(envs.make_world("maze"))
    for n, (least, most) in {5: (11, 46), 10: (22, 85)}.items():
        assert (reach(maze, n).min(), reach(maze, n).max()) == (least, most)


@pytest.mark.parametrize(
    ("n", "known"),
    [
        (1, (0.678484, 1.652933, 1.433068)),
        (2, (1.045523, 2.497250, 2.129814)),
        (3, (1.627830, 2.940484, 2.539963)),
    ],
)
def test_klyubins_maze_with_slip(n, known):
    bits = empowerment(model(envs.make_world("maze", slip=0.1)), n, gap=1e-8)
    found = [bits.lower.min(), bits.lower.max(), bits.lower.mean()]
    # Half a unit of the last digit, and the known numbers' own gap of 1e-7 nats.
    np.testing.assert_allclose(found, known, atol=6.5e-7, rtol=0)
    assert bits.gap.max() < 1e-8 * 1.01


def test_an_inner_cell_with_slip_has_a_closed_form():
    bits = empowerment(model(envs.make_world("maze", slip=0.1)), 1, gap=1e-10)
    closed = np.log2(5) + 0.9 * np.log2(0.9) + 0.1 * np.log2(0.025)
    assert bits.lower.max() == pytest.approx(closed, abs=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_without_chance_capacity_is_the_logarithm_of_the_reach(n):
    """Both ways of computing, on random deterministic worlds."""
    rng = np.random.default_rng(n)
    world = np.eye(12)[rng.integers(12, size=(12, 4))]
    channels = [outcomes(world, state, n) for state in range(12)]
    np.testing.assert_allclose(capacities(channels).lower, np.log2(reach(world, n)), atol=1e-9)


def a_world(rng, states=6, actions=3):
    return np.stack([a_channel(rng, actions, states) for _ in range(states)])


@given(seeds, st.integers(1, 3))
def test_empowerment_keeps_its_bounds_and_does_not_depend_on_names(seed, n):
    rng = np.random.default_rng(seed)
    world = a_world(rng)
    bits = empowerment(world, n)
    order, actions = rng.permutation(6), [2, 0, 1, 0, 0]
    renamed = world[order][:, :, order][:, actions]

    assert (bits.lower >= 0).all()
    assert (bits.lower <= np.log2(min(3**n, 6)) + 1e-9).all()
    np.testing.assert_allclose(empowerment(renamed, n).lower, bits.lower[order], atol=2.1e-6)
    some = empowerment(world, n, states=np.array([4, 1]))
    np.testing.assert_allclose(some.lower, bits.lower[[4, 1]], atol=1e-12)


@given(seeds)
def test_sequences_merged_on_the_way_are_all_sequences(seed):
    """Against a channel with a row for each of the 27, by brute force."""
    rng = np.random.default_rng(seed)
    world = a_world(rng)
    far = world
    for _ in range(2):
        far = np.einsum("sax,xby->saby", world, far).reshape(6, -1, 6)
    np.testing.assert_allclose(empowerment(world, 3).lower, capacity(far).lower, atol=1.1e-6)


def test_what_cannot_be_distinguished_counts_once():
    """On a torus of which only the row can be seen, three moves distinguish seven rows."""
    torus = model(envs.make_world("maze", layout="torus", size=9))
    rows = np.arange(81) // 9
    assert set(reach(torus, 3, rows)) == {7}
    assert empowerment(torus, 3, sees=rows).lower == pytest.approx(np.log2(7))
    slippery = model(envs.make_world("maze", layout="torus", size=9, slip=0.1))
    assert (empowerment(slippery, 2, sees=rows).lower < empowerment(slippery, 2).lower).all()


def test_empowerment_looks_at_least_one_action_ahead():
    with pytest.raises(ValueError, match="at least 1 action ahead, not 0"):
        empowerment(np.ones((1, 1, 1)), 0)
