"""The update is SB3's PPO: against its own ``train`` and against a stock model with its own net."""

import warnings
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import DummyVecEnv

from agents.genome import Architecture, Genome, Layer, LearningRule
from tests.agents.agent_states import same
from tests.agents.small_worlds import CHOICES, SIZE, SMALL, learner, solo

RULE = LearningRule(learning_rate=3e-3, entropy_coefficient=0.02, clip_range=0.05)


@pytest.mark.parametrize("engine", ["torch", "numpy"])
def test_same_numbers_as_sb3s_own_train(monkeypatch, engine):
    """To the bit under torch; SB3 trains an agent of the engine in the same memory, to 1e-5."""
    genome = replace(SMALL, learning_rule=replace(RULE, minibatch=24, epochs=3))
    mine, theirs = (solo(genome, engine=engine) for _ in range(2))
    other = theirs.learners["agent"]
    monkeypatch.setattr(other, "train", lambda: PPO.train(other))
    other._losses = {}
    for _ in range(3):
        mine.update()
        theirs.update()
    left, right = mine.learners["agent"].agent_state(), other.agent_state()
    if engine == "torch":
        assert same(left, right)
    for name, each in left.parameters.items():
        assert np.allclose(each, right.parameters[name], atol=1e-5), name
        assert left.moments[name].step == right.moments[name].step
    assert mine.learners["agent"]._n_updates == other._n_updates == 9


class _Nowhere(gym.Env):
    observation_space = gym.spaces.Box(-9, 9, (SIZE,), np.float32)
    action_space = gym.spaces.Discrete(CHOICES)


def _stock(rule: LearningRule, widths: list[int], steps: int, num_envs: int) -> PPO:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = PPO(
            "MlpPolicy",
            DummyVecEnv([_Nowhere] * num_envs),
            learning_rate=rule.learning_rate,
            n_steps=steps,
            batch_size=steps * num_envs,  # whole rollouts: the shuffle cannot matter
            n_epochs=rule.epochs,
            gamma=rule.discount,
            ent_coef=rule.entropy_coefficient,
            clip_range=rule.clip_range,
            policy_kwargs={"net_arch": widths},
            device="cpu",
        )
    model.set_logger(Logger(None, []))
    return model


def test_same_weights_as_a_stock_sb3_model_on_the_same_rollout():
    rule = replace(RULE, minibatch=64, epochs=5)
    genome = Genome(Architecture((Layer("dense", 9), Layer("dense", 7))), rule)
    population = solo(genome, steps=8, num_envs=8)
    mine, stock = population.learners["agent"], _stock(rule, [9, 7], 8, 8)
    pairs = list(zip(_stock_order(stock), mine.policy.named_parameters(), strict=True))
    with torch.no_grad():
        for theirs, (_, ours) in pairs:
            theirs.copy_(ours)
    population.update()
    for column in ("observations", "actions", "values", "log_probs", "advantages", "returns"):
        setattr(stock.rollout_buffer, column, getattr(mine.rollout_buffer, column).copy())
    stock.rollout_buffer.full = True
    stock.train()
    for theirs, (name, ours) in pairs:
        assert torch.allclose(theirs, ours, atol=2e-5), name


def _stock_order(stock: PPO) -> list[torch.nn.Parameter]:
    extractor, policy = stock.policy.mlp_extractor, stock.policy
    return [
        *extractor.policy_net.parameters(),
        *policy.action_net.parameters(),
        *extractor.value_net.parameters(),
        *policy.value_net.parameters(),
    ]


def test_the_gradient_norm_is_the_one_before_clipping():
    population = solo(replace(SMALL, learning_rule=replace(RULE, max_grad_norm=1e-3)))
    report = population.update()["agent"]
    assert report.losses["gradient_norm"] > 1e-2
    view = population.learners["agent"].view()
    assert view["gradient_norm"] == report.losses["gradient_norm"]


def test_a_non_finite_loss_stops_before_the_weights_are_lost():
    population = solo()
    population.update()
    live = population.learners["agent"]
    live.ent_coef = float("nan")
    before = live.agent_state()
    with pytest.raises(FloatingPointError, match=r"update 2: non-finite loss \(nan\)"):
        population.update()
    assert same(live.agent_state(), before)


def test_a_step_that_overflows_is_reported():
    population = solo()
    live = population.learners["agent"]
    live.lr_schedule = lambda _: 1e39  # past float32; no agent state may ask for it, a defect might
    with pytest.raises(FloatingPointError, match="update 1: non-finite"):
        population.update()


def test_a_non_finite_reward_names_its_objective_its_step_and_its_row():
    live = learner(steps=3)
    live.begin()
    seen, nowhere, rewards = np.zeros((8, SIZE), np.float32), np.zeros(8, bool), np.zeros((3, 8))
    rewards[1, 5] = rewards[2, 0] = np.inf
    for reward in rewards:
        live.act(seen)
        live.store(seen, reward, nowhere, nowhere)
    said = "update 1: objective extrinsic: non-finite reward inf in row 5 of step 1"
    with pytest.raises(FloatingPointError, match=said):
        live.finish(seen)
