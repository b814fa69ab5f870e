"""Soft planning by numbers that another library gives too, and rewards found by inverting it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.value_learning.soft_planning import excess_visits, occupancies, soft_values
from agents.values.mce_irl import MceIrl
from agents.values_contract import Dynamics
from sandbox.measuring.reward_distances import epic
from tests.agents.demonstrators import a_grid, a_random_world, watched

SEEDS = st.integers(0, 10_000)


def rng(seed=0):
    return np.random.default_rng(seed)


def reasonable():
    """The small MDP of imitation's tests (``test_mce_irl.py``): 5 states, 3 actions, 20 steps."""
    transition = np.zeros((5, 3, 5))
    transition[0] = [[0, 0.9, 0.1, 0, 0], [0, 0, 0, 1, 0], [0, 0.1, 0.9, 0, 0]]
    transition[1] = transition[2] = [[0, 0, 0, 0.05, 0.95], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]
    transition[3, :, 4] = transition[4, :, 0] = 1
    start = np.array([0.5, 0, 0, 0, 0.5])
    return Dynamics(np.eye(5, dtype=np.float32), transition, start, 20)


REWARDS = np.array([1, 2, 2, -20, 3.0])


def test_soft_values_and_visits_without_discount_are_those_of_imitation():
    world = reasonable()
    soft = soft_values(world.transition, REWARDS, 20)
    visits = occupancies(world.transition, world.start, soft.policy).sum(axis=0)

    expected = [53.298300, 54.836443, 54.836443, 33.649463, 54.744662]
    np.testing.assert_allclose(soft.values[0], expected, atol=5e-7)
    np.testing.assert_allclose(
        visits, [6.998829, 3.397594, 3.397594, 0.405233, 6.800749], atol=1e-6
    )
    assert visits.sum() == pytest.approx(21, abs=1e-12)
    np.testing.assert_allclose(soft.policy[:, 0, 0], soft.policy[:, 0, 2], rtol=1e-12)


def test_soft_values_and_visits_with_discount_are_those_of_imitation():
    world = reasonable()
    soft = soft_values(world.transition, REWARDS, 20, 0.9)
    visits = occupancies(world.transition, world.start, soft.policy, 0.9)

    expected = [22.943354, 24.039469, 24.039469, 2.818985, 24.430549]
    np.testing.assert_allclose(soft.values[0], expected, atol=5e-7)
    assert visits.sum() == pytest.approx(8.905810, abs=5e-7)


@given(SEEDS, st.floats(0, 0.99))
def test_visits_are_a_geometric_series_and_play_is_a_probability(seed, discount):
    world = a_random_world(seed=seed)
    soft = soft_values(world.transition, 30 * rng(seed).standard_normal(6), 8, discount)
    visits = occupancies(world.transition, world.start, soft.policy, discount)

    assert visits.sum() == pytest.approx((1 - discount**9) / (1 - discount))
    np.testing.assert_allclose(soft.policy.sum(axis=2), 1, rtol=1e-12)


def test_nothing_to_gain_leaves_only_entropy():
    soft = soft_values(a_grid().transition, np.zeros(9), 12)

    np.testing.assert_allclose(soft.values[0], 12 * np.log(4))
    np.testing.assert_allclose(soft.policy, 0.25)


@given(SEEDS, st.sampled_from([0.5, 0.9, 1.0]))
def test_the_gradient_of_likelihood_is_the_excess_of_visits(seed, discount):
    """By finite differences of ``sum_t g^t log pi_t(a_t|s_t)``, whatever was done."""
    world = a_random_world(seed=seed)
    done = rng(seed).random((8, 6, 4)) * discount ** np.arange(8)[:, None, None]
    rewards = rng(seed + 1).standard_normal(6)

    def likelihood(table):
        return np.sum(done * np.log(soft_values(world.transition, table, 8, discount).policy))

    play = soft_values(world.transition, rewards, 8, discount).policy
    gradient = excess_visits(world.transition, done, play, discount)
    for i, slope in enumerate(gradient):
        nudge = 1e-5 * np.eye(6)[i]
        found = (likelihood(rewards + nudge) - likelihood(rewards - nudge)) / 2e-5
        assert found == pytest.approx(slope, abs=1e-6)


@given(SEEDS, st.sampled_from([0.5, 0.9, 1.0]))
def test_of_all_that_a_demonstrator_could_do_it_is_the_difference_of_visits(seed, discount):
    """``mu_demo - mu_pi``, at the rewarded steps: chance has evened out."""
    world = a_random_world(seed=seed)
    play, demo = (
        soft_values(world.transition, rng(seed + i).standard_normal(6), 8, discount).policy
        for i in range(2)
    )
    mine, theirs = (
        occupancies(world.transition, world.start, each, discount)[:-1] for each in (play, demo)
    )
    found = excess_visits(world.transition, theirs[:, :, None] * demo, play, discount)

    np.testing.assert_allclose(found, (theirs - mine).sum(axis=0), atol=1e-12)


@pytest.mark.parametrize("discount", [0.9, 1.0])
def test_where_nothing_is_chance_learned_play_goes_where_the_demonstrator_went(discount):
    """V10's measure, on a deterministic grid with one start: visits agree within 1e-3."""
    world, rewards = a_grid(3, 12), np.array([0, 0, 0, 0, -1.5, 0, 0, 0, 1.0])
    demo = soft_values(world.transition, rewards, 12, discount).policy
    demos = watched(world, demo, 100, rng(1))
    valuer = MceIrl(discount=discount, iterations=2000).start(9, 4, rng(), world)
    valuer.learn(demos)
    seen = np.einsum("tns,t->s", demos.steps.observation, discount ** np.arange(12)) / 100
    mine = occupancies(world.transition, world.start, valuer._policy, discount)[:-1].sum(axis=0)

    assert np.abs(mine - seen).max() <= 1e-3 + 1e-9


def test_rewards_are_found_where_the_world_is_mostly_chance():
    """Visits of a sample differ by luck from those of any play; luck is not taken for a wish."""
    world = reasonable()
    demos = watched(world, soft_values(world.transition, REWARDS / 5, 20).policy, 1000, rng(1))
    valuer = MceIrl(iterations=2000).start(5, 3, rng(), world)
    valuer.learn(demos)
    table = valuer.state_dict()["paid"]

    assert np.abs((table - table.mean()) - (REWARDS - REWARDS.mean()) / 5).max() < 0.5


def test_rewards_of_a_grid_are_found():
    """2,000 episodes that start anywhere."""
    world = replace(a_grid(3, 12), start=np.full(9, 1 / 9))
    rewards = np.array([0, 0, 0, 0, -1.5, 0, 0, 0, 1.0])
    play = soft_values(world.transition, rewards, 12).policy
    valuer = MceIrl(iterations=1000).start(9, 4, rng(), world)
    valuer.learn(watched(world, play, 2000, rng(2)))

    def table(states):
        return np.broadcast_to(states[:, None, None], (9, 4, 9))

    assert epic(table(valuer.state_dict()["paid"]), table(rewards), 0.9).value < 0.1
    steps = np.zeros(9, int)
    assert np.abs(valuer.predict(world.observation, steps) - play[0]).max() < 0.05


def test_who_has_seen_nothing_expects_anything():
    valuer = MceIrl().start(9, 4, rng(), a_grid())

    np.testing.assert_allclose(valuer.predict(np.eye(9, dtype=np.float32), np.zeros(9, int)), 0.25)


def test_waiting_where_nothing_leads_away_says_nothing():
    """Cut off at the goal, or there until the horizon: the same rewards are learned."""
    world = a_grid(goal=8)
    policy = np.full((9, 4), 0.25)
    one, other = (MceIrl(iterations=20).start(9, 4, rng(), world) for _ in range(2))
    short = watched(world, policy, 40, rng(3), ends=8)
    one.learn(short)
    other.learn(watched(world, policy, 40, rng(3)))

    assert not short.present.all()
    np.testing.assert_allclose(one.state_dict()["paid"], other.state_dict()["paid"], atol=1e-9)


def test_an_episode_longer_than_the_horizon_is_refused_and_changes_nothing():
    world = a_grid()
    valuer = MceIrl().start(9, 4, rng(), replace(world, horizon=5))

    with pytest.raises(ValueError, match="an episode of 12 steps is longer than 5"):
        valuer.learn(watched(world, np.full((9, 4), 0.25), 5, rng()))
    np.testing.assert_array_equal(valuer.state_dict()["done"], 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start": np.ones(9)}, "start holds probabilities"),
        ({"transition": np.zeros((9, 4, 9))}, "transition holds probabilities"),
        ({"start": np.ones(8)}, r"start is \[9\], not \[8\]"),
        ({"horizon": 0}, "at least one step"),
        ({"observation": np.zeros((9, 2), np.float32)}, "two states have the same observation"),
    ],
)
def test_a_table_that_is_no_world_is_refused(change, reason):
    with pytest.raises(ValueError, match=reason):
        replace(a_grid(), **change)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"learning_rate": 0.0}, "learning_rate is a finite number above 0"),
        ({"iterations": 0}, "iterations is at least 1"),
        ({"tolerance": -1.0}, "tolerance is finite and at least 0"),
        ({"discount": 1.1}, "discount is between 0 and 1"),
    ],
)
def test_settings_of_inverse_planning_out_of_range_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        MceIrl(**settings)
