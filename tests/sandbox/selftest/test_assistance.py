"""Helping whom one does not know: optima of small games, and what an off-switch is worth."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.selftest.assistance import AssistanceGame, Helper, red_blue, two_phase, wormy_apples
from sandbox.selftest.off_switch import off_switch_incentive

COMPOST, TRASH, ASK = 2, 3, 5


@pytest.mark.parametrize(
    ("discount", "best", "learning_first"), [(0.99, 1.9523196, 1.8562796), (0.9, 1.7136, 1.5840)]
)
def test_wormy_apples(discount, best, learning_first):
    game = wormy_apples(discount)

    assert Helper(game).value() == pytest.approx(best, abs=1e-9)
    assert Helper(two_phase(game, 0, 0)).value() == pytest.approx(learning_first, abs=1e-9)


def test_it_asks_when_the_answer_matters_and_not_before():
    game = wormy_apples()
    helper = Helper(game)
    posterior = helper.belief(game.prior, 2, ASK, 2)

    assert helper.action(0, 0, game.prior) == 1
    assert helper.action(1, 2, game.prior) == ASK
    np.testing.assert_array_equal(posterior, [0, 1])
    assert helper.action(2, 2, posterior) == TRASH
    assert helper.action(2, 2, 1 - posterior) == COMPOST
    with pytest.raises(ValueError, match="has probability 0"):
        helper.belief(posterior, 2, ASK, 1)


def test_red_and_blue():
    """Wait for the human's ball, then take the same: one each, any of the two."""
    assert Helper(red_blue()).value() == pytest.approx(2.0, abs=1e-12)
    assert Helper(red_blue(0.9)).value() == pytest.approx(0.9 + 0.81, abs=1e-12)
    assert Helper(red_blue()).action(0, 0, np.full(2, 0.5)) == 2


def a_game(seed, horizon=2):
    rng = np.random.default_rng(seed)
    return AssistanceGame(
        transition=rng.dirichlet(np.ones(2), (2, 2, 2)),
        reward=rng.standard_normal((2, 2, 2, 2, 2)),
        human=rng.dirichlet(np.ones(2), (2, 2, 2)),
        prior=rng.dirichlet(np.ones(2)),
        start=0,
        horizon=horizon,
        discount=0.9,
    )


def worth(game, first, then):
    """Of a helper that does ``first``, then ``then[answer, next state]``: a sum over all ways."""
    total = 0.0
    ways = itertools.product(range(2), repeat=5)
    for wish, answer, state, again, last in ways:
        action = then[2 * answer + state]
        chance = game.prior[wish] * game.human[wish, 0, first, answer]
        chance *= game.transition[0, answer, first, state]
        chance *= game.human[wish, state, action, again]
        chance *= game.transition[state, again, action, last]
        rewards = game.reward[wish, 0, answer, first, state]
        rewards += game.discount * game.reward[wish, state, again, action, last]
        total += chance * rewards
    return total


@given(st.integers(0, 500))
def test_the_optimum_is_the_best_of_all_32_ways_to_help(seed):
    game = a_game(seed)
    plans = itertools.product(range(2), itertools.product(range(2), repeat=4))

    assert Helper(game).value() == pytest.approx(
        max(worth(game, first, then) for first, then in plans), abs=1e-12
    )


@given(st.integers(0, 500))
def test_a_human_who_says_less_is_not_helped_better(seed):
    """An answer that only informs is never worth less than silence."""
    game = a_game(seed, 3)
    one = game.transition[:, :1].repeat(2, axis=1)
    talk = replace(game, transition=one, reward=game.reward[:, :, :1].repeat(2, axis=2))

    assert Helper(talk).value() >= Helper(two_phase(talk, 0, 0)).value() - 1e-12


def test_a_game_that_is_none_is_refused():
    game = a_game(0)
    with pytest.raises(ValueError, match="prior holds probabilities"):
        replace(game, prior=np.ones(2))
    with pytest.raises(ValueError, match=r"human is \[2, 2, 2, 2\], not \[2, 2, 2\]"):
        replace(game, human=game.human[0])


# --- the off-switch ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "deviation", "worth_it"),
    [
        (0.0, 1.0, 0.398942),
        (0.5, 1.0, 0.197797),
        (-0.5, 1.0, 0.197797),
        (1.0, 1.0, 0.083315),
        (1.0, 0.5, 0.004245),
        (0.0, 0.25, 0.0997),
    ],
)
def test_deferring_to_a_rational_human_is_worth(mean, deviation, worth_it):
    digits = 5e-5 if worth_it == 0.0997 else 5e-7

    assert off_switch_incentive(mean, deviation) == pytest.approx(worth_it, abs=digits)


@pytest.mark.parametrize(
    ("mean", "noise", "worth_it"),
    [
        (0.0, 0.1, 0.392596),
        (0.0, 1.0, 0.206621),
        (0.75, 0.1, 0.126288),
        (0.75, 1.0, -0.072082),
        (0.75, 3.0, -0.249602),
        (1.5, 1.0, -0.183940),
    ],
)
def test_deferring_to_one_who_errs_may_be_worth_less_than_nothing(mean, noise, worth_it):
    assert off_switch_incentive(mean, 1.0, noise) == pytest.approx(worth_it, abs=1e-6)


def test_noise_that_vanishes_leaves_a_rational_human():
    assert off_switch_incentive(0.3, 1.0, 1e-3) == pytest.approx(
        off_switch_incentive(0.3, 1.0), abs=1e-5
    )
    with pytest.raises(ValueError, match="deviation is above 0"):
        off_switch_incentive(0.0, 0.0)
