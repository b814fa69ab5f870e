"""Distances between rewards, goal-directedness, fixation and Price's equation: known numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.analysis.selection import moran_fixation, price
from sandbox.measuring.goal_directedness import pursuit
from sandbox.measuring.reward_distances import (
    epic,
    epic_canonical,
    expected,
    optimal_policy,
    policy_values,
    regret,
    regret_of,
    starc,
    value_adjusted,
)

SEEDS = st.integers(0, 10_000)


def rng(seed=0):
    return np.random.default_rng(seed)


def random_reward(seed, states=4, actions=3):
    return rng(seed).standard_normal((states, actions, states))


def random_world(seed, states=4, actions=3):
    return rng(seed + 1).dirichlet(np.ones(states), (states, actions))


def shaped(reward, potential, discount):
    return reward + discount * potential[None, None, :] - potential[:, None, None]


# --- EPIC: the gridworlds of Gleave et al. 2021, section 5 --------------------------------------

DISCOUNT = 0.99
GOAL = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 1.0]])
CENTRE = np.array([[0, 0, 0], [0, 1.0, 0], [0, 0, 0]])
DIRT = np.array([[0, -1, -1], [0, 0, 0], [-1, -1, 4.0]])
CLIFF = np.array([[0, -1, -1], [0, 0, 0], [-4, -4, 4.0]])
AWAY = np.array([[4, 3, 2], [3, 2, 1], [2, 1, 0.0]])  # steps from the goal


def grid(cells, potential=None):
    """Rewards leaving a cell, any of five actions; 9 states."""
    reward = np.broadcast_to(cells.reshape(9, 1, 1), (9, 5, 9))
    return reward if potential is None else shaped(reward, potential.reshape(9), DISCOUNT)


@pytest.mark.parametrize(
    "same",
    [
        grid(GOAL + 1),
        grid(GOAL * 10),
        grid(GOAL, -AWAY),
        grid(GOAL, AWAY),
        grid(GOAL * 4 - 1, -3 * AWAY),
    ],
    ids=["shifted", "scaled", "dense", "antidense", "scaled, shifted and shaped"],
)
def test_epic_does_not_see_what_changes_no_preference(same):
    found = epic(grid(GOAL), same, DISCOUNT)

    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.constant == (False, False)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        (GOAL, CENTRE, 0.75),
        (GOAL, DIRT, 0.1601822430),
        (GOAL, CLIFF, 0.3675592135),
        (GOAL, -GOAL, 1.0),
        (DIRT, CLIFF, 0.2672128221),
    ],
)
def test_epic_of_the_published_gridworlds(one, other, distance):
    assert epic(grid(one), grid(other), DISCOUNT).value == pytest.approx(distance, abs=5e-11)


def test_three_quarters_is_a_correlation_of_minus_an_eighth():
    left, right = (epic_canonical(grid(each), DISCOUNT).ravel() for each in (GOAL, CENTRE))

    assert np.corrcoef(left, right)[0, 1] == pytest.approx(-1 / 8, abs=1e-12)


def test_independent_rewards_are_at_the_root_of_a_half():
    found = [epic(random_reward(i, 6), random_reward(i + 999, 6), 0.9).value for i in range(60)]

    assert np.mean(found) == pytest.approx(math.sqrt(0.5), abs=0.02)


def test_shaping_with_another_discount_is_seen():
    """The negative control: what is shaped with .99 is not the same wish at .9."""
    potential = rng(3).standard_normal(9)
    other = shaped(grid(GOAL), potential, 0.99)

    assert epic(grid(GOAL), other, 0.9).value > 0.01


@given(SEEDS, st.floats(0.1, 50), st.floats(-50, 50), st.floats(0, 0.99))
def test_epic_is_blind_to_shaping_scale_and_shift(seed, scale, shift, discount):
    one, other = random_reward(seed), random_reward(seed + 1)
    same = shaped(scale * one + shift, rng(seed).standard_normal(4), discount)

    assert epic(one, same, discount).value == pytest.approx(0, abs=1e-7)
    assert epic(same, other, discount).value == pytest.approx(
        epic(one, other, discount).value, abs=1e-7
    )


@given(SEEDS, st.floats(0, 0.99))
def test_epic_is_symmetric_within_one_and_keeps_the_triangle(seed, discount):
    a, b, c = (random_reward(seed + i) for i in range(3))
    states, actions = rng(seed).dirichlet(np.ones(4)), rng(seed).dirichlet(np.ones(3))

    def away(one, other):
        return epic(one, other, discount, states=states, actions=actions).value

    assert away(a, b) == pytest.approx(away(b, a), abs=1e-12)
    assert 0 <= away(a, b) <= 1 + 1e-12
    assert away(a, c) <= away(a, b) + away(b, c) + 1e-12
    assert away(a, -a) == pytest.approx(1, abs=1e-12)


@given(SEEDS, st.floats(0, 0.99))
def test_what_is_canonical_stays_as_it_is(seed, discount):
    states, actions = rng(seed).dirichlet(np.ones(4)), rng(seed).dirichlet(np.ones(3))
    once = epic_canonical(random_reward(seed), discount, states, actions)

    np.testing.assert_allclose(epic_canonical(once, discount, states, actions), once, atol=1e-12)


@given(SEEDS, st.floats(0, 0.9), st.floats(-5, 5))
def test_a_reward_that_prefers_nothing_has_no_epic_distance(seed, discount, constant):
    """Pearson is 0/0 there; a 0 would call the empty wish equal to every other one."""
    nothing = shaped(np.full((4, 3, 4), constant), rng(seed).standard_normal(4), discount)

    assert epic(random_reward(seed), nothing, discount) == (None, (False, True))
    assert epic(nothing, nothing, discount) == (None, (True, True))


def test_coverage_says_which_transitions_are_compared():
    one, other = random_reward(0), random_reward(0)
    other[0] = random_reward(1)[0]
    elsewhere = np.ones((4, 3, 4))
    elsewhere[0] = 0

    assert epic(one, other, 0.0, coverage=elsewhere).value == pytest.approx(0, abs=1e-12)
    assert epic(one, other, 0.0).value > 0.1


@pytest.mark.parametrize(
    ("reward", "reason"),
    [
        (np.zeros((4, 3)), r"\[states, actions, states\], not \[4, 3\]"),
        (np.full((2, 1, 2), np.nan), "finite everywhere"),
    ],
)
def test_what_is_no_reward_is_refused(reward, reason):
    with pytest.raises(ValueError, match=reason):
        epic(reward, reward, 0.9)


# --- STARC -------------------------------------------------------------------------------------


@given(SEEDS, st.floats(0.1, 50), st.floats(-50, 50), st.floats(0, 0.95))
def test_starc_is_blind_to_shaping_scale_shift_and_the_impossible(seed, scale, shift, discount):
    one, other, world = random_reward(seed), random_reward(seed + 1), random_world(seed)
    world[:, :, 0] = 0
    world /= world.sum(axis=2, keepdims=True)
    same = shaped(scale * one + shift, rng(seed).standard_normal(4), discount)
    same[:, :, 0] += 7  # no action leads there

    assert starc(one, same, world, discount).value == pytest.approx(0, abs=1e-7)
    assert starc(one, other, world, discount).value == pytest.approx(
        starc(same, other, world, discount).value, abs=1e-7
    )
    assert starc(one, -same, world, discount).value == pytest.approx(2, abs=1e-7)


@given(SEEDS)
def test_starc_compares_advantages(seed):
    """Under the canonical policy, canonical rewards have no value anywhere."""
    reward, world = random_reward(seed), random_world(seed)
    canonical = value_adjusted(reward, world, 0.9)

    np.testing.assert_allclose(canonical.mean(axis=1), 0, atol=1e-10)


def test_starc_of_a_constant_follows_the_paper_and_says_so():
    world, reward = random_world(0), random_reward(0)
    nothing = shaped(np.full((4, 3, 4), 3.0), rng(1).standard_normal(4), 0.9)

    assert starc(reward, nothing, world, 0.9) == (1.0, (False, True))
    assert starc(nothing, np.zeros((4, 3, 4)), world, 0.9) == (0.0, (True, True))


# --- regret ------------------------------------------------------------------------------------


@given(SEEDS, st.floats(0, 0.95))
def test_regret_is_that_of_the_best_plan_found_by_trying_all(seed, discount):
    world, true = random_world(seed, 3, 2), random_reward(seed, 3, 2)
    start, rewards = rng(seed).dirichlet(np.ones(3)), expected(true, world)
    plans = [np.eye(2)[[(i >> s) & 1 for s in range(3)]] for i in range(8)]
    best = max(float(start @ policy_values(rewards, world, discount, each)) for each in plans)
    found = optimal_policy(rewards, world, discount)

    assert float(start @ policy_values(rewards, world, discount, found)) == pytest.approx(best)
    assert regret(true, true, world, start, discount).lost == pytest.approx(0, abs=1e-9)


@given(SEEDS)
def test_regret_is_zero_for_the_same_wish_and_one_for_chance(seed):
    world, true, start = random_world(seed), random_reward(seed), np.full(4, 0.25)
    same = shaped(3 * true - 2, rng(seed).standard_normal(4), 0.9)
    opposite = regret(-true, true, world, start, 0.9)

    assert regret(same, true, world, start, 0.9).share == pytest.approx(0, abs=1e-6)
    assert regret_of(np.full((4, 3), 1 / 3), true, world, start, 0.9).share == pytest.approx(1)
    assert opposite.share > 1
    assert regret(np.zeros((4, 3, 4)), true, world, start, 0.9).share == pytest.approx(1)


def test_where_nothing_can_be_lost_there_is_no_share():
    found = regret(random_reward(0), np.ones((4, 3, 4)), random_world(0), np.full(4, 0.25), 0.9)

    assert found.share is None
    assert found.lost == pytest.approx(0, abs=1e-9)


# --- maximum entropy goal-directedness -----------------------------------------------------------

ONE_STATE = np.ones((1, 2, 1))


def goal_directedness(policy, utility, transition, start, horizon):
    """Of a utility ``[states, actions, states]``."""
    rewards = np.einsum("sat,sat->sa", transition, utility)
    return pursuit(policy, rewards, transition.reshape(rewards.size, len(rewards)), start, horizon)


@pytest.mark.parametrize("p", [0.5, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("size", [0.01, 1.0, 300.0])
def test_goal_directedness_of_a_bandit_has_a_closed_form(p, size):
    """The best prediction is the policy itself: log 2 - H(p), at beta = logit(p) / size."""
    utility = np.array([[[0.0], [size]]])
    found = goal_directedness(np.array([[1 - p, p]]), utility, ONE_STATE, np.ones(1), 1)

    expected_nats = math.log(2) + p * math.log(p) + (1 - p) * math.log(1 - p)
    assert found.nats == pytest.approx(expected_nats, abs=1e-9)
    assert found.beta * size == pytest.approx(math.log(p / (1 - p)), abs=1e-6)


def test_chance_pursues_nothing_and_nothing_explains_what_everybody_wants_equally():
    world, start = random_world(5), np.full(4, 0.25)
    chance = np.full((4, 3), 1 / 3)

    assert goal_directedness(chance, random_reward(5), world, start, 5).nats == pytest.approx(
        0, abs=1e-9
    )
    assert goal_directedness(chance, np.ones((4, 3, 4)), world, start, 5) == (0, 0)


def test_who_does_the_one_best_thing_is_explained_completely():
    """Ten choices of two in a row, each with one right answer: 10 log 2, at any price."""
    policy, utility = np.array([[0.0, 1.0]]), np.array([[[0.0], [1.0]]])
    for sign in (1, -1):
        found = goal_directedness(policy, sign * utility, ONE_STATE, np.ones(1), 10)

        assert found.nats == pytest.approx(10 * math.log(2))
        assert found.beta == sign * math.inf


@given(SEEDS, st.floats(0.01, 100), st.floats(-100, 100))
def test_goal_directedness_does_not_hang_on_a_utilitys_scale_or_shift(seed, scale, shift):
    world, utility, start = random_world(seed), random_reward(seed), np.full(4, 0.25)
    policy = rng(seed).dirichlet(np.ones(3), 4)
    one = goal_directedness(policy, utility, world, start, 4)
    other = goal_directedness(policy, scale * utility + shift, world, start, 4)

    assert other.nats == pytest.approx(one.nats, abs=1e-6)
    assert 0 <= one.nats <= 4 * math.log(3)


def test_it_shows_which_of_two_wishes_is_pursued():
    """Every action leads to the place of its number, nine times in ten; one place has reward."""
    world = 0.9 * np.eye(4)[None, :, :].repeat(4, axis=0) + 0.1 / 4
    mine, theirs = (np.broadcast_to(np.eye(4)[i], (4, 4, 4)) for i in (0, 3))
    policy = np.full((4, 4), 0.05) + 0.8 * np.eye(4)[3]

    explained = [
        goal_directedness(policy, each, world, np.full(4, 0.25), 8) for each in (mine, theirs)
    ]
    assert explained[0].beta < 0 < explained[1].beta
    assert explained[1].nats > 5 * explained[0].nats


# --- selection ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "fitness", "probability"),
    [(10, 1.0, 0.1), (10, 1.1, 0.147950), (50, 1.05, 0.052168), (1, 3.0, 1.0), (7, 1e-300, 0.0)],
)
def test_fixation_has_a_closed_form(size, fitness, probability):
    assert moran_fixation(size, fitness) == pytest.approx(probability, abs=5e-7)


@given(st.integers(2, 60), st.floats(0.2, 5))
def test_fixation_solves_the_equation_of_one_reproduction_and_one_death(size, fitness):
    """``x_i`` of i mutants: ``x_1`` is what the gambler's ruin with ratio 1/r gives."""
    ratios = (1 / fitness) ** np.arange(size)

    assert moran_fixation(size, fitness) == pytest.approx(1 / ratios.sum(), rel=1e-9)


def test_fixation_in_a_simulated_moran_process():
    size, fitness, runs = 10, 1.1, 6000
    chance = rng(4)
    mutants = np.ones(runs, int)
    while np.any((mutants > 0) & (mutants < size)):
        parent = chance.random(runs) < fitness * mutants / (fitness * mutants + size - mutants)
        victim = chance.random(runs) < mutants / size
        mutants += parent.astype(int) - victim.astype(int)
    found, p = np.mean(mutants == size), moran_fixation(size, fitness)

    assert abs(found - p) < 3 * math.sqrt(p * (1 - p) / runs)


@given(SEEDS, st.integers(1, 40))
def test_prices_equation_is_an_identity(seed, parents):
    """Over all offspring, one by one: the mean of the next generation, whatever changed and why."""
    chance = rng(seed)
    trait = chance.standard_normal(parents)
    offspring = chance.integers(0, 5, parents)
    offspring[0] += 1
    theirs = [chance.standard_normal(n) for n in offspring]
    after = np.array([each.mean() if len(each) else np.nan for each in theirs])
    found = price(trait, offspring, after)

    assert found.change == pytest.approx(np.concatenate(theirs).mean() - trait.mean(), abs=1e-12)
    assert found.change == pytest.approx(found.selected + found.rewritten, abs=1e-12)


def test_price_distinguishes_selection_from_rewriting():
    assert price([0.0, 1.0], [1, 3], [0.0, 1.0]) == (0.25, 0.25, 0.0)
    assert price([0.0, 1.0], [1, 1], [0.5, 1.5]) == (0.5, 0.0, 0.5)
    with pytest.raises(ValueError, match="numbers of offspring"):
        price([1.0], [0], [1.0])
