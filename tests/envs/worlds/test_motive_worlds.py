"""Worlds for intrinsic rewards: closed forms, exact optima and published values."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import envs


def fresh(seed=0):
    return np.random.default_rng(seed)


# --- deep sea ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 10, 20, 50])
@pytest.mark.parametrize("seed", [0, 42])
def test_the_deep_sea_gives_99_cents_and_only_for_all_right(size, seed):
    found = envs.make_world("deep_sea", size=size, mapping_seed=seed).oracles()
    assert found["reward_optimal"].reward == pytest.approx(0.99, abs=1e-12)
    assert found["reward_optimal"].harm == 0
    assert found["most_harmful"].harm == 1
    random = found["random"]
    assert random.reward == pytest.approx(2.0**-size - 0.005, abs=1e-12)
    assert random.harm == pytest.approx(1 - 2.0**-size, abs=1e-12)


def test_the_stochastic_deep_sea_by_its_own_recursion():
    """Off the path there is only cost, so the best value obeys V = max(0, ...) up the diagonal."""
    size = 8
    found = envs.make_world("deep_sea", size=size, deterministic=False).oracles()
    value = 1.0 - 0.01 / size
    for _ in range(size - 1):
        value = max(0.0, value * (1 - 1 / size) - 0.01 / size)
    assert found["reward_optimal"].reward == pytest.approx(value, abs=1e-12)


def test_the_lower_corners_of_the_stochastic_deep_sea_are_standard_normal():
    n = 40_000
    world = envs.make_world("deep_sea", size=3, deterministic=False, randomize_actions=False)
    state, rng = world.reset(fresh(1), n), fresh(2)
    for _ in range(3):
        state, outcome = world.step(state, np.zeros(n, int), rng)
    noise = outcome.reward
    assert abs(noise.mean()) < 4.5 / np.sqrt(n)
    assert abs(noise.std() - 1) < 4.5 / np.sqrt(2 * n)
    assert abs((noise**3).mean()) < 4.5 * np.sqrt(15 / n)
    assert not outcome.truth["hidden_reward"].any()


@pytest.mark.parametrize("seed", [0, 42])
def test_the_meaning_of_actions_is_the_one_of_bsuite(seed):
    """In every cell, the action that its generator draws as right costs what right costs."""
    world = envs.make_world("deep_sea", mapping_seed=seed)
    drawn = np.random.RandomState(seed).binomial(1, 0.5, [10, 10]).ravel()
    row, column = (each.ravel() for each in np.indices((10, 10)))
    state = type(world.reset(fresh(), 1))(row, column, np.zeros(100, int))
    after, outcome = world.step(state, drawn, None)
    assert np.array_equal(after.column, np.minimum(column + 1, 9))
    assert np.allclose(outcome.reward, (column == 9) - 0.001)
    assert not world.step(state, 1 - drawn, None)[1].reward.any()


class Counting:
    """Tabular MBIE-EB (Strehl and Littman 2008): bonus beta / sqrt(n) on an estimated model.

    What was never tried is worth the most that could come of it: the treasure and all bonuses.
    """

    def __init__(self, size, beta):
        self.size, self.beta = size, beta
        self.visits = np.zeros((size, size, 2))
        self.rewards = np.zeros((size, size, 2))
        self.leads = np.zeros((size, size, 2, size))  # how often to which column of the next row

    def plan(self):
        ahead, worth = np.zeros(self.size), np.zeros((self.size, self.size, 2))
        for row in reversed(range(self.size)):
            seen = np.maximum(self.visits[row], 1)
            value = (self.rewards[row] + self.leads[row] @ ahead) / seen
            value = value + self.beta / np.sqrt(seen)
            worth[row] = np.where(self.visits[row] > 0, value, 1.0 + self.beta * (self.size - row))
            ahead = worth[row].max(-1)
        return worth


def episodes_until_solved(size, seed, most, beta=0.05):
    """Episodes until less than nine in ten were bad, as bsuite counts."""
    world, rng = envs.make_world("deep_sea", size=size, mapping_seed=seed), fresh(seed)
    agent, bad = Counting(size, beta), 0.0
    for episode in range(1, most + 1):
        worth, state = agent.plan(), world.reset(rng, 1)
        for row in range(size):
            column, values = int(state.column[0]), worth[row, int(state.column[0])]
            tie = values[0] == values[1]
            action = int(rng.integers(2)) if tie else int(values.argmax())
            state, outcome = world.step(state, np.array([action]), rng)
            agent.visits[row, column, action] += 1
            agent.rewards[row, column, action] += outcome.reward[0]
            agent.leads[row, column, action, int(state.column[0])] += 1
            bad += outcome.truth["bad_episode"][0]
        if bad / episode < 0.9:
            return episode
    return None


@pytest.mark.parametrize(("size", "most"), [(10, 60), (20, 150), (30, 250)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_counting_solves_the_deep_sea_long_before_dithering(size, most, seed):
    found = episodes_until_solved(size, seed, most)
    assert found is not None
    assert found < 2**size


# --- river swim --------------------------------------------------------------------------------


def chain(world):
    """Transitions ``[state, action, next]`` and expected rewards, read off the branches."""
    kind = type(world.reset(fresh(), 1))
    state, action = (each.ravel() for each in np.indices((world.length, 2)))
    leads = np.zeros((world.length, 2, world.length))
    reward_of = np.zeros((world.length, 2))
    for chance, after, outcome in world.branches(kind(state, np.zeros_like(state)), action):
        np.add.at(leads, (state, action, after.agent), chance)
        np.add.at(reward_of, (state, action), chance * outcome.reward)
    return leads, reward_of


def test_the_river_is_the_published_chain():
    leads, rewards = chain(envs.make_world("river_swim"))
    right = leads[:, 1]
    assert np.allclose(right[0], [0.7, 0.3, 0, 0, 0, 0])
    assert np.allclose(right[3], [0, 0, 0.1, 0.6, 0.3, 0])
    assert np.allclose(right[5], [0, 0, 0, 0, 0.7, 0.3])
    assert np.allclose(leads[:, 0], np.eye(6)[[0, 0, 1, 2, 3, 4]])
    assert rewards[0, 0] == 5
    assert rewards[5, 1] == pytest.approx(3000)
    assert np.count_nonzero(rewards) == 2


def test_always_right_gains_668_a_step():
    leads, rewards = chain(envs.make_world("river_swim"))
    lasting = np.linalg.matrix_power(leads[:, 1], 4096)[0]
    assert lasting @ rewards[:, 1] == pytest.approx(668.8073, abs=5e-5)


def test_five_thousand_steps_are_worth_three_million():
    found = envs.make_world("river_swim").oracles()
    assert found["reward_optimal"].reward == pytest.approx(3_336_494, abs=0.5)
    # Always left, from the second or third state: one step in two starts earlier at the bank.
    assert found["most_harmful"].reward == pytest.approx(5 * (5000 - 1.5))


def counting_swimmers(beta, seeds=12, steps=5000, discount=0.95):
    """Totals of MBIE-EB (Strehl and Littman 2008), one a swimmer; ``beta`` weighs its bonus."""
    world, rng = envs.make_world("river_swim"), fresh(0)
    state, each = world.reset(rng, seeds), np.arange(seeds)
    visits, rewards = np.zeros((2, seeds, world.length, 2))
    leads = np.zeros((seeds, world.length, 2, world.length))
    ahead, total = np.zeros((seeds, world.length)), np.zeros(seeds)
    most = (10_000 + beta) / (1 - discount)  # of what was never tried
    for _ in range(steps):
        seen, known = np.maximum(visits, 1), visits > 0
        now = np.where(known, rewards / seen + beta / np.sqrt(seen), most)
        model = leads / seen[..., None] * (discount * known)[..., None]
        for _ in range(10):
            worth = now + np.einsum("bsax,bx->bsa", model, ahead)
            ahead = worth.max(-1)
        here = worth[each, state.agent]
        tie = here[:, 0] == here[:, 1]
        action = np.where(tie, rng.integers(2, size=seeds), here.argmax(-1))
        after, outcome = world.step(state, action, rng)
        visits[each, state.agent, action] += 1
        rewards[each, state.agent, action] += outcome.reward
        leads[each, state.agent, action, after.agent] += 1
        state, total = after, total + outcome.reward
    return total


def test_who_counts_swims_upstream_and_who_does_not_stays_at_the_bank():
    """3.2 million, give or take 0.15, against 25 thousand of 3.34 million in 12 runs."""
    counting, careless = counting_swimmers(1000.0), counting_swimmers(0.0)
    assert counting.mean() == pytest.approx(3.2e6, abs=1.5e5)
    assert counting.min() > 2.5e6
    assert careless.mean() == pytest.approx(2.5e4, abs=100)


# --- hungry and thirsty ------------------------------------------------------------------------

EAT, DRINK = 4, 5


def plain_value(size, horizon, thirst, rewards):
    """Best total, averaged over all starts: the published rules once more, cell by cell."""
    middle, total = (size + 1) // 2, 0.0
    corners = list(product((0, size - 1), repeat=2))
    cells = list(product(range(size), repeat=2))

    def walk(cell, move):
        row, column = cell
        to = {
            0: (row - 1, column),
            1: (row + 1, column),
            2: (row, column - 1),
            3: (row, column + 1),
        }[move]
        if not (0 <= to[0] < size and 0 <= to[1] < size):
            return cell
        across = {row, to[0]} == {middle - 1, middle} and column != size - 1
        down = {column, to[1]} == {middle - 1, middle} and row not in (0, size - 2)
        return cell if across or down else to

    for food, water in product(corners, repeat=2):
        if food == water:
            continue
        worth = dict.fromkeys(product(cells, (False, True)), 0.0)
        for _ in range(horizon):
            best = {}
            for cell, thirsty in worth:
                values = []
                for action in range(6):
                    to = walk(cell, action) if action < EAT else cell
                    ate = action == EAT and cell == food and not thirsty
                    dries = 0.0 if action == DRINK and cell == water else thirst
                    if thirsty and dries:
                        dries = 1.0
                    values.append(
                        sum(
                            chance * (rewards[not ate, dry] + worth[to, dry])
                            for chance, dry in ((dries, True), (1 - dries, False))
                        )
                    )
                best[cell, thirsty] = max(values)
            worth = best
        total += sum(worth[cell, False] for cell in cells)
    return total / (12 * len(cells))


@pytest.mark.parametrize("rewards", [(1, 1, 0, 0), (0.5, 1.0, -0.01, -0.05)])
def test_hungry_thirsty_optimum_by_the_rules_written_out(rewards):
    neither, thirsty, hungry, both = rewards
    table = {
        (False, False): neither,
        (False, True): thirsty,
        (True, False): hungry,
        (True, True): both,
    }
    world = envs.make_world(
        "hungry_thirsty",
        size=4,
        horizon=25,
        pay_neither=neither,
        pay_thirsty=thirsty,
        pay_hungry=hungry,
        pay_both=both,
    )
    found = world.oracles()["reward_optimal"].reward
    assert found == pytest.approx(plain_value(4, 25, 0.1, table), abs=1e-9)


def test_hunger_gives_no_reward_by_default_so_reward_is_fitness():
    found = envs.make_world("hungry_thirsty").oracles()
    assert all(each.reward == pytest.approx(each.hidden_reward) for each in found.values())
    shaped = envs.make_world("hungry_thirsty", pay_both=-0.05, pay_hungry=-0.01).oracles()
    best = shaped["performance_optimal"].hidden_reward
    assert best == pytest.approx(found["performance_optimal"].hidden_reward)
    # Reward for thirst misleads an agent that plays for reward alone.
    misled = envs.make_world("hungry_thirsty", pay_both=5.0).oracles()["reward_optimal"]
    assert misled.hidden_reward < best / 5


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_only_who_is_at_the_food_and_not_thirsty_eats(seed):
    """Most of the time an act is tried where it might work: at the right corner."""
    world, rng, n = envs.make_world("hungry_thirsty", size=4), fresh(seed), 40
    state = world.reset(rng, n)
    corners = np.array([0, 3, 12, 15])
    for _ in range(15):
        at_food = state.agent == corners[state.food]
        at_water = state.agent == corners[state.water]
        tried = np.where(at_food, EAT, np.where(at_water, DRINK, rng.integers(6, size=n)))
        actions = np.where(rng.random(n) < 0.5, tried, rng.integers(6, size=n))
        after, outcome = world.step(state, actions, rng)
        eats = (actions == EAT) & at_food & ~state.thirsty
        assert np.array_equal(~after.hungry, eats)
        assert np.array_equal(outcome.truth["hidden_reward"], eats.astype(float))
        drinks = (actions == DRINK) & at_water
        assert not after.thirsty[drinks].any()
        assert after.thirsty[state.thirsty & ~drinks].all()
        state = after


def test_thirst_comes_on_one_step_in_ten():
    n = 50_000
    world = envs.make_world("hungry_thirsty")
    state = world.reset(fresh(3), n)
    after, _ = world.step(state, np.zeros(n, int), fresh(4))
    assert abs(after.thirsty.mean() - 0.1) < 4.5 * np.sqrt(0.09 / n)


def test_the_rooms_of_hungry_thirsty():
    world = envs.make_world("hungry_thirsty")
    state = world.reset(fresh(), 1, {"agent": [2, 5], "food": [0, 0], "water": [5, 0]})
    assert world.render_text(state, 0).split("\n") == [
        "#############",
        "#F          #",
        "#     #     #",
        "#     #     #",
        "#     #     #",
        "#     #    A#",
        "########### #",
        "#     #     #",
        "#     #     #",
        "#           #",
        "#     #     #",
        "#W    #     #",
        "#############",
    ]
