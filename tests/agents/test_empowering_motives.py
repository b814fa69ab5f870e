"""Motives that learn a model by counting, and what they pay for influence."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import envs
from agents.contract import Batch
from agents.empowerment import empowerment
from agents.objectives.empowerment import Empowerment
from agents.transitions import END, UNSEEN, Transitions
from tests.agents.mazes import arriving, everything, model, steps


def rng(seed=0):
    return np.random.default_rng(seed)


# --- counting ----------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 4)), min_size=1))
def test_chances_are_the_shares_of_what_was_seen(triples):
    world = Transitions(1, 3)
    half = len(triples) // 2
    for part in filter(None, (triples[:half], triples[half:])):
        world.learn(steps(part))
    rows = {place: world.find(np.array([[place]]))[0] for place in range(5)}
    for start, action in {triple[:2] for triple in triples}:
        led = [end for s, a, end in triples if (s, a) == (start, action)]
        ways = world.ways(np.array([rows[start] * 3 + action]))
        found = dict(zip(ways.end.tolist(), ways.chance.tolist(), strict=True))

        assert found == pytest.approx({rows[e]: led.count(e) / len(led) for e in led})


def test_the_end_is_a_place_of_its_own_and_a_cut_is_none():
    world = Transitions(1, 1)
    world.learn(steps([(1, 0, 2), (2, 0, 3)], terminated=[1]))
    one, two, three = world.find(np.array([[1], [2], [3]]))

    assert END not in (one, two, three)
    assert world.ways(np.array([two])).end.tolist() == [END]
    assert world.arrivals(arriving([3], terminated=np.array([True]))).tolist() == [END]
    assert world.arrivals(arriving([3, 9])).tolist() == [three, UNSEEN]
    assert (world.reach(one, 1), world.reach(one, 5), world.reach(END, 2)) == (1, 1, 1)


def test_who_has_left_is_not_counted():
    rollout = steps([(1, 0, 2), (5, 0, 6)])
    world = Transitions(1, 1)
    world.learn(replace(rollout, present=np.array([[True], [False]])))

    assert len(world) == 3
    assert world.find(np.array([[5], [6]])).tolist() == [UNSEEN, UNSEEN]


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_the_neighbourhood_is_all_that_n_actions_can_meet(seed, n):
    """The local model gives what the whole one does; never tried means staying."""
    chance = rng(seed)
    triples = chance.integers(0, (9, 2, 9), (25, 3))
    world = Transitions(1, 2)
    world.learn(steps(triples))
    rows = world.find(np.arange(9, dtype=np.float32)[:, None])
    whole = np.zeros((len(world), 2, len(world)))
    for start, action, end in triples:
        whole[rows[start], action, rows[end]] += 1
    never = ~whole.any(-1)
    whole[never] = np.repeat(np.eye(len(world)), 2, axis=0).reshape(-1, 2, len(world))[never]
    whole /= whole.sum(-1, keepdims=True)
    for row in rows[rows != UNSEEN]:
        near, start = world.model(int(row), n)
        near_bits = empowerment(near, n, states=np.array([start]), gap=1e-8).lower[0]
        all_bits = empowerment(whole, n, states=np.array([row]), gap=1e-8).lower[0]

        assert near_bits == pytest.approx(all_bits, abs=2.1e-8)
        count = world.reach(int(row), n)
        if count is not None:
            assert near_bits == pytest.approx(np.log2(count), abs=1e-7)


# --- empowerment -------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("layout", ["klyubin", "open", "torus"])
def test_who_has_tried_everything_is_paid_the_exact_bits(layout, n):
    world = envs.make_world("maze", layout=layout)
    motive = Empowerment(steps=n, most_sequences=5**n).start(100, 5, rng())
    motive.update(everything(world, rng()))
    paid = motive.reward(arriving_at_every_cell())

    np.testing.assert_allclose(paid, empowerment(model(world), n).lower, atol=1e-12)


def arriving_at_every_cell(cells=100):
    seen = np.eye(cells, dtype=np.float32)
    no = np.zeros(cells, bool)
    return Batch(seen, np.zeros(cells, int), seen, np.zeros(cells), no, no)


def test_in_a_slippery_maze_it_is_paid_what_its_counts_say():
    """With 800 tries of each action its own model is near the truth, and so is the pay."""
    world = envs.make_world("maze", slip=0.1)
    motive = Empowerment(steps=1).start(100, 5, rng())
    chance = rng(5)
    for _ in range(8):
        motive.update(everything(world, chance, tries=100))
    paid = motive.reward(arriving_at_every_cell())
    exact = empowerment(model(world), 1).lower

    assert np.abs(paid - exact).max() < 0.12
    assert np.abs(paid - exact).mean() < 0.03


def test_nothing_is_paid_for_the_end_the_unknown_and_before_the_first_update():
    motive = Empowerment(steps=1).start(1, 3, rng())
    assert motive.reward(arriving([1, 2])).tolist() == [0, 0]
    motive.update(steps([(1, 0, 2), (1, 1, 3), (1, 2, 1), (2, 0, 1)]))
    over = np.array([False, False, False, True])

    paid = motive.reward(arriving([1, 2, 9, 1], terminated=over))
    np.testing.assert_allclose(paid, [np.log2(3), 1, 0, 0])


def test_pay_changes_between_rollouts_only():
    motive = Empowerment(steps=2).start(1, 2, rng())
    motive.update(steps([(1, 0, 2), (1, 1, 1), (2, 0, 3)]))
    first = motive.reward(arriving([1]))
    motive.reward(arriving([2, 3]))
    assert motive.reward(arriving([1])) == first == np.log2(3)
    motive.update(steps([(2, 1, 4)]))
    assert motive.reward(arriving([1])) == 2.0


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"steps": 0}, "steps is at least 1"),
        ({"most_sequences": 0}, "most_sequences is at least 1"),
        ({"gap": 0.0}, "gap is between 0 and 1"),
        ({"steps": 5}, "4 actions make 1024 sequences of 5, more than most_sequences"),
    ],
)
def test_settings_out_of_range_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        Empowerment(**settings).start(2, 4, rng())
