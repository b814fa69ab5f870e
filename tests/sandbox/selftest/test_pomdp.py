"""Planning on beliefs: exact where everything can be checked, between its bounds elsewhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.selftest.assistance import Helper, red_blue, wormy_apples
from sandbox.selftest.pomdp import Pomdp, at_least, four_three, wandered
from tests.sandbox.selftest.test_assistance import a_game

seeds = st.integers(0, 2**32 - 1)


def at_most(problem, horizon, discount=1.0):
    """What no plan can exceed: as if the last state were known at each step (Hauskrecht 2000)."""
    worth = np.zeros(problem.reward.shape)  # [actions, states]
    for _ in range(horizon):
        onwards = np.einsum("ast,ot,kt->aoks", problem.transition, problem.sensor, worth)
        worth = problem.reward + discount * onwards.max(axis=2).sum(axis=1)
    return float((worth @ problem.start).max())


def as_pomdp(game):
    """Of (wish, state, what the human did last), of which the wish is not seen."""
    wishes, states, humans, helpers, _ = game.reward.shape
    shape = (wishes, states, humans)
    n = wishes * states * humans
    transition, rewards = np.zeros((helpers, n, *shape)), np.zeros((helpers, n))
    for row in range(n):
        wish, state, _ = np.unravel_index(row, shape)
        for action in range(helpers):
            for did, chance in enumerate(game.human[wish, state, action]):
                ways = game.transition[state, did, action]
                transition[action, row, wish, :, did] += chance * ways
                rewards[action, row] += chance * (ways @ game.reward[wish, state, did, action])
    sensor = np.tile(np.eye(states * humans), wishes)
    start = np.zeros(shape)
    start[:, game.start, 0] = game.prior
    return Pomdp(transition.reshape(helpers, n, n), sensor, rewards, start.ravel())


@pytest.mark.parametrize("game", [red_blue(), red_blue(0.9), wormy_apples()])
def test_an_assistance_game_is_worth_what_its_helper_makes_of_it(game):
    problem = as_pomdp(game)
    met = wandered(problem, game.horizon, 400, np.random.default_rng(0))

    best = Helper(game).value()
    assert at_least(problem, game.horizon, met, game.discount) == pytest.approx(best, abs=1e-9)
    assert at_most(problem, game.horizon, game.discount) >= best - 1e-9


@given(seeds)
def test_any_game_lies_between_the_bounds_and_the_lower_one_is_met(seed):
    game = a_game(seed)
    problem = as_pomdp(game)
    met = wandered(problem, game.horizon, 200, np.random.default_rng(seed))
    best = Helper(game).value()

    assert at_least(problem, game.horizon, met, 0.9) == pytest.approx(best, abs=1e-9)
    assert at_most(problem, game.horizon, 0.9) >= best - 1e-9
    assert at_least(problem, game.horizon, met[:1], 0.9) <= best + 1e-9


@given(seeds, st.integers(0, 6))
def test_where_the_state_is_seen_it_is_value_iteration(seed, horizon):
    rng = np.random.default_rng(seed)
    transition, reward = rng.dirichlet(np.ones(4), (3, 4)), rng.standard_normal((3, 4))
    problem = Pomdp(transition, np.eye(4), reward, rng.dirichlet(np.ones(4)))
    acted, worth = np.zeros((3, 4)), np.zeros(4)
    for _ in range(horizon):
        acted = reward + transition @ worth
        worth = acted.max(axis=0)
    best = (acted @ problem.start).max()  # the first action is chosen before anything is seen

    assert at_least(problem, horizon, np.eye(4)) == pytest.approx(best, abs=1e-9)
    assert at_most(problem, horizon) == pytest.approx(best, abs=1e-9)


def test_the_four_three_maze():
    """V6: the assistance-games library asks its solver for a return between 1.7 and 2.1."""
    problem = four_three()
    few, many = (wandered(problem, 20, n, np.random.default_rng(0)) for n in (5, 50))
    low, high = at_least(problem, 20, few), at_least(problem, 20, many)

    assert 1.7 < low <= high < 2.1
    assert high == pytest.approx(1.94866, abs=1e-4)
    assert high <= at_most(problem, 20) < 2.14
    assert at_least(problem, 0, many) == 0


def test_what_does_not_fit_is_refused():
    problem = four_three()
    with pytest.raises(ValueError, match=r"start is \[11\], not \[10\]"):
        Pomdp(problem.transition, problem.sensor, problem.reward, problem.start[:10])
    with pytest.raises(ValueError, match="sensor holds probabilities"):
        Pomdp(problem.transition, 2 * problem.sensor, problem.reward, problem.start)
