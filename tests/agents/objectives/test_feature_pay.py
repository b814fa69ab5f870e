"""A reward by two features is what its four weights say, and the fitness where they are so."""

import numpy as np
import pytest

import envs
from agents.objectives.feature_pay import FeaturePay
from tests.agents.objectives.steps import at, batch, rng


def test_each_of_four_states_gives_its_weight():
    seen = np.array([[[0, 0], [1, 0], [0, 1], [1, 1]]], np.float32)
    step = at(batch(np.zeros((1, 4, 2)), np.zeros((1, 4), int), seen), 0)
    settings = {"pay_neither": 1.0, "pay_first": 2.0, "pay_second": 3.0, "pay_both": 4.0}
    live_objective = FeaturePay(**settings).start(2, 2, rng(0))
    assert live_objective.reward(step).tolist() == [1, 2, 3, 4]
    turned = FeaturePay(first=1, second=0, **settings).start(2, 2, rng(0))
    assert turned.reward(step).tolist() == [1, 3, 2, 4]


def test_the_fitness_of_the_hungry_and_thirsty_is_one_of_them():
    world, chance = envs.make_world("hungry_thirsty"), rng(1)
    size = world.observation_size
    settings = {"pay_neither": 1.0, "pay_first": 0.0, "pay_second": 1.0, "pay_both": 0.0}
    live_objective = FeaturePay(first=size - 2, second=size - 1, **settings).start(size, 6, rng(0))
    state = world.reset(chance, 256)
    eaten = 0.0
    for _ in range(100):
        before, actions = world.observe(state), chance.integers(6, size=256)
        state, outcome = world.step(state, actions, chance)
        step = at(batch(before[None], actions[None], world.observe(state)[None]), 0)
        assert np.array_equal(live_objective.reward(step), outcome.truth["hidden_reward"])
        eaten += outcome.reward.sum()
    assert eaten > 0


def test_what_it_refuses():
    with pytest.raises(ValueError, match="two features"):
        FeaturePay(first=1)
    with pytest.raises(ValueError, match="pay_both must be finite"):
        FeaturePay(pay_both=float("nan"))
    with pytest.raises(ValueError, match="feature 5 is none"):
        FeaturePay(second=5).start(5, 2, rng(0))
