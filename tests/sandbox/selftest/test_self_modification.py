"""Agents that may rewrite what they want: the three kinds, by closed forms and by brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.selftest.self_modification import Choices, rewrites, solve

# Two rooms, action k leads to room k. Utility 0 wants room 0, utility 1 wants room 1, both give
# 1/2 there; utility 2 is bliss: 1 whatever happens.
ROOMS = np.zeros((2, 2, 2))
ROOMS[:, 0, 0] = ROOMS[:, 1, 1] = 1.0
UTILITIES = np.array([[[0.5, 0.5], [0.0, 0.0]], [[0.0, 0.0], [0.5, 0.5]], [[1.0, 1.0], [1.0, 1.0]]])
START = np.array([0.0, 1.0])  # in the other room
H = 6
TOY = Choices(ROOMS, UTILITIES, H)


def agent_run(kind, utility=0):
    return rewrites(TOY, solve(TOY, kind), START, utility)


def test_a_realistic_agent_makes_no_harmful_rewrite_and_loses_nothing():
    for utility in range(3):
        found = agent_run("realistic", utility)
        assert found.harmful == 0
        assert found.lost == pytest.approx(0, abs=1e-12)
    assert agent_run("realistic").kept[:-2] == pytest.approx(1), "but for the end, where all is one"


@pytest.mark.parametrize("scale", [1e-10, 1e10])
def test_the_unit_of_utility_does_not_matter(scale):
    toy = Choices(ROOMS, scale * UTILITIES, H)
    for kind in ("realistic", "hedonistic", "ignorant"):
        found, known = rewrites(toy, solve(toy, kind), START, 0), agent_run(kind)
        assert (found.all, found.harmful) == pytest.approx((known.all, known.harmful))
        assert found.lost == pytest.approx(scale * known.lost, abs=1e-12 * scale)
        assert found.kept == pytest.approx(known.kept)


def test_a_hedonistic_agent_picks_bliss_in_one_step():
    selves = solve(TOY, "hedonistic")
    found = agent_run("hedonistic")

    assert selves.share[0, :, 0].sum(axis=1)[:, 2] == pytest.approx(1), "whatever it does besides"
    assert selves.share[:, :, :, :, 2].sum(axis=3) == pytest.approx(1), "and so does every self"
    assert found.kept.tolist() == [1] + [0] * H
    assert found.all == found.harmful == 1
    # Bliss moves at random: from the other room, half a chance of 1/2 at each step but the first.
    assert found.lost == pytest.approx(0.5 * (H - 1) - 0.25 * (H - 1))


def test_an_ignorant_agent_does_not_care_which():
    selves = solve(TOY, "ignorant")
    found = agent_run("ignorant")

    assert selves.share.sum(axis=3) == pytest.approx(1 / 3), "all utilities are equal to it"
    assert 0 < found.harmful < found.all == pytest.approx(2 / 3 * H)
    assert found.kept[1:] == pytest.approx(1 / 3)
    # It sets out for its own room; from then on it is 1/3 each: of 0, of 1, of bliss.
    assert found.lost == pytest.approx(0.5 * (H - 1) - (0.5 + 0.5 * 0.5 * (H - 2)))


def test_an_agent_that_cannot_change_acts_best():
    one = Choices(ROOMS, UTILITIES[:1], H)
    for kind in ("hedonistic", "ignorant", "realistic"):
        found = rewrites(one, solve(one, kind), START, 0)
        assert (found.all, found.harmful) == (0, 0)
        assert found.lost == pytest.approx(0, abs=1e-12)


def random_toy(seed):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(3), size=(3, 2))
    return Choices(transition, rng.random((3, 3, 2)), 4, discount=0.9), rng.dirichlet(np.ones(3))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2))
def test_in_any_world_realism_is_harmless_and_nothing_beats_it(seed, utility):
    toy, start = random_toy(seed)
    agent_runs = {
        kind: rewrites(toy, solve(toy, kind), start, utility)
        for kind in ("realistic", "ignorant", "hedonistic")
    }

    assert agent_runs["realistic"].harmful == 0
    assert agent_runs["realistic"].lost == pytest.approx(0, abs=1e-9)
    assert min(each.lost for each in agent_runs.values()) > -1e-9


@given(st.integers(0, 2**32 - 1))
def test_with_bliss_on_offer_a_hedonist_takes_it_at_once_in_any_world(seed):
    toy, start = random_toy(seed)
    bliss = np.concatenate([toy.utilities, np.full((1, 3, 2), 1.5)])
    toy = Choices(toy.transition, bliss, toy.horizon, toy.discount)

    assert rewrites(toy, solve(toy, "hedonistic"), start, 0).kept[1] == 0
    realistic = rewrites(toy, solve(toy, "realistic"), start, 0)
    assert realistic.harmful == 0


def test_the_real_worth_of_a_run_is_what_playing_every_branch_gives():
    toy, _ = random_toy(7)
    toy = Choices(toy.transition, toy.utilities, 2, 0.9)
    for kind in ("realistic", "ignorant", "hedonistic"):
        selves = solve(toy, kind)
        for state, i, judge in itertools.product(range(3), repeat=3):
            total = 0.0
            for a, j in itertools.product(range(2), range(3)):
                p = selves.share[0, state, i, a, j]
                after = 0.0
                for t, b, k in itertools.product(range(3), range(2), range(3)):
                    q = toy.transition[state, a, t] * selves.share[1, t, j, b, k]
                    after += q * toy.utilities[judge, t, b]
                total += p * (toy.utilities[judge, state, a] + 0.9 * after)
            assert selves.worth[0, state, i, judge] == pytest.approx(total)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"transition is \[states, actions, states\]"):
        Choices(ROOMS[:, :, :1], UTILITIES, H)
    with pytest.raises(ValueError, match="add up to 1"):
        Choices(ROOMS * 2, UTILITIES, H)
    with pytest.raises(ValueError, match="at least one step"):
        Choices(ROOMS, UTILITIES, 0)
