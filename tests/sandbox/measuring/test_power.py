"""POWER: closed forms, symmetries, and that options never hurt."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import envs
from envs.planning.exact import Model
from sandbox.measuring.power import power, world_model, world_power, worths


def model(following, chance=None):
    """Of where things lead, ``[states, actions, branches]``; beyond the last state is the end."""
    following = np.array(following)
    chance = np.ones(following.shape) if chance is None else np.array(chance, float)
    states, actions = following.shape[:2]
    return Model(None, np.arange(states), following, chance, np.zeros((states, actions, 3)))


def choice(k):
    """State 0 leads to any of ``k`` states that are never left."""
    return model([[[i] for i in range(1, k + 1)], *[[[i]] * k for i in range(1, k + 1)]])


def fresh(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("discount", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("k", [1, 2, 5, 20])
def test_a_choice_of_k_fates_has_the_power_of_the_best_of_k_draws(k, discount):
    found = power(choice(k), discount, 2000, fresh(k))
    assert abs(found.mean[0] - k / (k + 1)) < 4.5 * found.error[0]
    spread = np.sqrt(k / (k + 1) ** 2 / (k + 2))  # of the largest of k uniform numbers
    assert found.error[0] == pytest.approx(spread / 2000**0.5, rel=0.15)
    fates = found.mean[1:-1]
    assert (np.abs(fates - 0.5) < 4.5 * found.error[1:-1]).all()


@pytest.mark.parametrize("discount", [0.3, 0.9])
def test_it_is_the_mean_of_the_best_of_the_very_rewards_that_were_drawn(discount):
    """No sampling error between the two: value iteration alone is asked, to its tolerance."""
    rewards = fresh(1).random((7, 50))
    worth = worths(choice(5), discount, rewards, tolerance=1e-9)
    found = (worth - rewards)[0] * (1 - discount) / discount
    assert np.allclose(found, rewards[1:6].max(0), atol=1e-8, rtol=0)


@pytest.mark.parametrize("discount", [0.25, 0.9])
def test_a_choice_one_step_off_is_discounted(discount):
    """From 0 only to 1, from there to one of three: (1 - g) / 2 + g 3 / 4."""
    leads = [[[1]] * 3, [[2], [3], [4]], *[[[i]] * 3 for i in (2, 3, 4)]]
    found = power(model(leads), discount, 4000, fresh(2))
    exact = (1 - discount) / 2 + discount * 3 / 4
    assert abs(found.mean[0] - exact) < 4.5 * found.error[0]


def test_what_chance_decides_is_no_option_and_all_ends_are_one_state():
    lottery = model([[[1, 2]], [[1, 1]], [[2, 2]]], [[[0.3, 0.7]], [[1, 0]], [[1, 0]]])
    found = power(lottery, 0.9, 4000, fresh(3))
    assert abs(found.mean[0] - 0.5) < 4.5 * found.error[0]
    ends = power(model([[[1], [1]]]), 0.9, 4000, fresh(4))  # both actions end the episode
    assert ends.mean[0] == pytest.approx(ends.mean[1], abs=1e-5)
    assert abs(ends.mean[1] - 0.5) < 4.5 * ends.error[1]


random_models = st.integers(0, 2**31).map(
    lambda seed: fresh(seed).integers(0, 6, size=(5, 3, 2))  # five states and the end
)
seeds = st.integers(0, 2**31)


@settings(max_examples=25, deadline=None)
@given(random_models, seeds, st.sampled_from([0.2, 0.7, 0.95]))
def test_worths_solve_bellmans_equation(leads, seed, discount):
    weights = fresh(seed).random(leads.shape)
    chance = weights / weights.sum(-1, keepdims=True)
    rewards = fresh(seed).random((6, 4))
    worth = worths(model(leads, chance), discount, rewards, 1e-9)
    ahead = np.einsum("sab,sabk->sak", chance, worth[leads]).max(1)
    assert np.allclose(worth[:-1], rewards[:-1] + discount * ahead, atol=1e-8)
    assert np.allclose(worth[-1], rewards[-1] / (1 - discount))


@settings(max_examples=25, deadline=None)
@given(random_models, seeds)
def test_an_option_more_never_costs_power_whatever_the_rewards(leads, seed):
    chance, rewards = np.full(leads.shape, 0.5), fresh(seed).random((6, 8))
    fewer = worths(model(leads[:, :2], chance[:, :2]), 0.8, rewards)
    assert (worths(model(leads, chance), 0.8, rewards) >= fewer - 1e-4).all()
    again = worths(model(leads[:, [0, 1, 1]], chance), 0.8, rewards)
    assert np.allclose(again, fewer)  # the same option twice is none


@settings(max_examples=25, deadline=None)
@given(random_models, seeds)
def test_states_by_another_name_have_the_same_power(leads, seed):
    """Rename states and their rewards: what a symmetry maps onto each other is alike."""
    order = np.append(fresh(seed).permutation(5), 5)
    chance, rewards = np.full(leads.shape, 0.5), fresh(seed).random((6, 4))
    names = np.argsort(order)
    renamed = model(names[leads[order[:-1]]], chance)
    one = worths(model(leads, chance), 0.8, rewards, 1e-9)
    other = worths(renamed, 0.8, rewards[order], 1e-9)
    assert np.allclose(one[order], other, atol=1e-7)


def test_corners_have_less_power_than_the_middle_of_a_room_and_mirror_images_the_same():
    world = envs.make_world("maze", layout="open", size=5, goal_row=2, goal_column=4)
    states, found = world_model(world).states, world_power(world, 0.8, 1500)
    at = {(int(cell) // 5, int(cell) % 5): i for i, cell in enumerate(states.agent)}
    assert found.mean[at[2, 2]] > found.mean[at[0, 0]] + 3 * found.error[at[0, 0]]
    for row, column in ((0, 0), (1, 2), (0, 3)):
        one, other = at[row, column], at[4 - row, column]
        error = np.hypot(found.error[one], found.error[other])
        assert abs(found.mean[one] - found.mean[other]) < 4.5 * error


def test_the_rewards_are_drawn_by_the_generator_given_and_parts_do_not_matter(monkeypatch):
    whole = power(choice(3), 0.9, 64, fresh(5))
    assert np.array_equal(whole.mean, power(choice(3), 0.9, 64, fresh(5)).mean)
    monkeypatch.setattr("sandbox.measuring.power._NUMBERS", 10 * 12)
    parts = power(choice(3), 0.9, 64, fresh(5))
    assert abs(parts.mean[0] - whole.mean[0]) < 4.5 * np.hypot(parts.error[0], whole.error[0])
    assert parts.mean.shape == whole.mean.shape


def test_what_has_no_power_to_compute_is_refused_in_one_line(monkeypatch):
    with pytest.raises(ValueError, match="between 0 and 1"):
        power(choice(2), 1.0, 10, fresh())
    with pytest.raises(ValueError, match="several"):
        world_model(envs.make_world("commons"))
    monkeypatch.setattr("sandbox.measuring.power._MOST", 30)
    with pytest.raises(ValueError, match="more than 30 states"):
        world_model(envs.make_world("maze", size=6, layout="open", goal_row=1))
