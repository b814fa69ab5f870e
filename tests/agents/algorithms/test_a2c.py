"""A2C is SB3's: the same weights on the same rollout, and one step a rollout."""

import warnings
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import stable_baselines3
import torch
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import DummyVecEnv

from agents.architecture.cost import rollout_flops, training_flops
from agents.genome import A2CRule, Layer
from agents.learners.a2c import A2C
from agents.learners.ppo import PPO
from tests.agents.agent_states import same
from tests.agents.learning_kinds import a_genome, after_updates, population
from tests.agents.small_worlds import CHOICES, SIZE, Signpost


class _Nowhere(gym.Env):
    observation_space = gym.spaces.Box(-9, 9, (SIZE,), np.float32)
    action_space = gym.spaces.Discrete(CHOICES)


def _stock(rule):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = stable_baselines3.A2C(
            "MlpPolicy",
            DummyVecEnv([_Nowhere] * 4),
            learning_rate=rule.learning_rate,
            n_steps=8,
            gamma=rule.discount,
            gae_lambda=rule.gae_lambda,
            ent_coef=rule.entropy_coefficient,
            vf_coef=rule.value_coefficient,
            max_grad_norm=rule.max_grad_norm,
            use_rms_prop=False,  # Adam with epsilon 1e-5, as ours
            policy_kwargs={"net_arch": [9, 7], "optimizer_kwargs": {"eps": 1e-5}},
            device="cpu",
        )
    model.set_logger(Logger(None, []))
    return model


def _stock_order(stock):
    extractor, policy = stock.policy.mlp_extractor, stock.policy
    return [
        *extractor.policy_net.parameters(),
        *policy.action_net.parameters(),
        *extractor.value_net.parameters(),
        *policy.value_net.parameters(),
    ]


def test_same_weights_as_sb3s_own_train_on_the_same_rollouts():
    rule = {"optimiser": "adam", "entropy_coefficient": 0.02, "gae_lambda": 0.9}
    genome = a_genome("a2c", Layer("dense", 9), Layer("dense", 7), **rule)
    one = population("a2c", genome)
    mine, stock = one.learners["agent"], _stock(genome.learning_rule)
    pairs = list(zip(_stock_order(stock), mine.policy.named_parameters(), strict=True))
    with torch.no_grad():
        for theirs, (_, ours) in pairs:
            theirs.copy_(ours)
    for _ in range(3):
        one.update()
        for column in ("observations", "actions", "values", "log_probs", "advantages", "returns"):
            setattr(stock.rollout_buffer, column, getattr(mine.rollout_buffer, column).copy())
        stock.rollout_buffer.full, stock.rollout_buffer.generator_ready = True, False
        stock.train()
        for theirs, (name, ours) in pairs:
            assert torch.allclose(theirs, ours, atol=1e-6), name


def test_one_pass_over_all_steps_is_one_gradient_step_and_is_charged_as_one():
    one, learner = after_updates("a2c", 0)
    report = one.update()["agent"]
    sizes = (learner.genome, SIZE, CHOICES, 32)
    assert report.flops == rollout_flops(*sizes) + training_flops(*sizes)
    assert training_flops(*sizes) == 3 * rollout_flops(*sizes)
    assert learner._n_updates == 1
    assert {each.step for each in learner.agent_state().moments.values()} == {1.0}


def test_it_learns():
    one = population("a2c", env=Signpost(16), num_envs=16, steps_per_update=10)
    learner = one.learners["agent"]
    rule = replace(learner.genome.learning_rule, learning_rate=1e-2, optimiser="adam")
    genome = replace(learner.genome, learning_rule=rule)
    learner.install(replace(learner.agent_state(), genome=genome))
    returns = [one.update()["agent"].mean_return for _ in range(150)]
    assert np.mean(returns[:5]) < 2.4  # chance: 5/3
    assert np.mean(returns[-10:]) > 3


def test_an_agent_state_that_learns_otherwise_is_refused():
    _, a2c = after_updates("a2c", 1)
    _, ppo = after_updates("ppo", 1)
    before = ppo.agent_state()
    with pytest.raises(ValueError, match="learns by A2CRule, this agent by LearningRule"):
        ppo.install(a2c.agent_state())
    assert same(ppo.agent_state(), before)


@pytest.mark.parametrize("name", ["clip_range", "epochs", "minibatch", "target_kl"])
def test_numbers_of_ppo_alone_rest(name):
    with pytest.raises(ValueError, match=f"a2c has no use for {name}"):
        A2C(**{name: getattr(PPO(), name) + 1})
    assert getattr(A2CRule(), name) == getattr(A2C(), name)
