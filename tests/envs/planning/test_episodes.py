"""Whole episodes: chance is drawn in one order, and what comes after an end counts for nothing."""

import numpy as np
import pytest

from envs.planning.episodes import parts, steps, totals
from envs.worlds.coin_grid import CoinGrid
from envs.worlds.commons import Commons
from envs.worlds.river_swim import RiverSwim


@pytest.mark.parametrize("world", [CoinGrid(), RiverSwim(), Commons()])
def test_each_step_follows_from_the_one_before_by_the_same_draws(world):
    rng, again = np.random.default_rng(3), np.random.default_rng(3)
    state = world.reset(again, 5)
    for step in steps(world, lambda state: world.act("random", state, rng), 5, rng):
        np.testing.assert_array_equal(world.observe(step.state), world.observe(state))
        actions = world.act("random", state, again)
        state, _ = world.step(state, actions, again)
        np.testing.assert_array_equal(step.actions, actions)
        np.testing.assert_array_equal(world.observe(step.after), world.observe(state))
    assert rng.random() == again.random()


@pytest.mark.parametrize("world", [CoinGrid(), RiverSwim(), Commons()])
def test_every_episode_is_alive_from_its_first_step_to_its_end_and_ends_once(world):
    rng = np.random.default_rng(1)
    played = list(steps(world, lambda state: world.act("random", state, rng), 50, rng))
    alive = np.stack([each.alive for each in played])
    over = np.stack([each.outcome.terminated | each.outcome.truncated for each in played])
    assert alive[0].all()
    np.testing.assert_array_equal(alive[1:], alive[:-1] & ~over[:-1])
    np.testing.assert_array_equal((alive & over).sum(0), 1)
    assert not played[-1].going_on.any()


def test_totals_are_the_sums_of_the_parts_of_the_steps_that_belong_to_an_episode():
    world, n = CoinGrid(), 20

    def act(state):
        return np.zeros(len(world.observe(state)), int)

    played = list(steps(world, act, n, np.random.default_rng(0)))
    lengths = np.stack([each.alive for each in played]).sum(0)
    rewards = np.stack([parts(each.outcome) for each in played])
    expected = [rewards[: lengths[i], i].sum(0) for i in range(n)]
    found = totals(world, act, n, np.random.default_rng(0))
    np.testing.assert_allclose(found, expected)


def test_a_limit_cuts_what_would_go_on():
    world, rng = RiverSwim(), np.random.default_rng(0)
    played = list(steps(world, lambda state: world.act("random", state, rng), 3, rng, limit=4))
    assert len(played) == 4
    assert played[-1].going_on.all()
