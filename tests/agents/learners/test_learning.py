"""The learners learn: CartPole, through a checkpoint and an edit, and games of two."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from pettingzoo import ParallelEnv

from agents.architecture import checkpoint
from agents.contract import Learner
from agents.genome import Architecture, Genome, Layer, LearningRule
from agents.learners.independent import Independent
from agents.learners.ppo import PPO
from agents.surgery.weights import grow_units
from tests.agents.small_worlds import EXTRINSIC, streams


def genome_of(learner: Learner, *units: int) -> Genome:
    layers = tuple(Layer("dense", each) for each in units)
    return Genome(Architecture(layers), LearningRule(**learner.genome_rule()))


def cart_pole(num_envs: int):
    env = gym.make_vec(
        "CartPole-v1",
        num_envs=num_envs,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
    )
    env.reset(seed=5)
    return env


def test_cart_pole_is_learned_through_a_checkpoint_and_a_wider_network():
    learner = PPO(num_envs=16, steps_per_update=64, learning_rate=3e-3, minibatch=256, epochs=6)
    genome = genome_of(learner, 16, 16)
    population = learner.build(cart_pole(16), {"agent": genome}, EXTRINSIC, streams(1))
    live = population.learners["agent"]
    returns = [population.update()["agent"].mean_return for _ in range(8)]
    kept = checkpoint.to_bytes(live.agent_state())
    resumed = learner.build(cart_pole(16), {"agent": genome}, EXTRINSIC, streams(2))
    offspring = resumed.learners["agent"]
    offspring.install(checkpoint.from_bytes(*kept))
    assert checkpoint.to_bytes(offspring.agent_state()) == kept
    offspring.install(grow_units(offspring.agent_state(), 0, 16, np.random.default_rng(0)))
    returns += [resumed.update()["agent"].mean_return for _ in range(20)]
    assert returns[0] < 40
    assert np.mean(returns[6:8]) > 1.5 * returns[0]
    assert (
        np.mean(returns[8:11]) > 0.6 * returns[7]
    )  # the offspring goes on, it does not start anew
    assert np.mean(returns[-5:]) > 150


# --- PettingZoo ----------------------------------------------------------------------------------


class Habits(ParallelEnv):
    """Each of two agents has one action with more reward, whatever the other does.

    ``dove`` sees 2 numbers and has 2 actions, ``hawk`` sees a 3 x 1 grid and has 3. The dove leaves
    after ``leaves`` steps; an episode lasts ``horizon``.
    """

    metadata = {"name": "habits"}  # noqa: RUF012 - PettingZoo's own style

    def __init__(self, horizon=6, leaves=6):
        self.possible_agents, self.agents = ["dove", "hawk"], []
        self.horizon, self.leaves, self.resets = horizon, leaves, 0

    def observation_space(self, agent):
        shape = (2,) if agent == "dove" else (3, 1)
        return gym.spaces.Box(0, 1, shape, np.float32)

    def action_space(self, agent):
        return gym.spaces.Discrete(2) if agent == "dove" else gym.spaces.Discrete(3, start=5)

    def _look(self):
        now = self.clock / self.horizon
        return {a: np.full(self.observation_space(a).shape, now, np.float32) for a in self.agents}

    def reset(self, seed=None, options=None):
        assert seed is None, "learners do not seed environments"
        self.agents, self.clock, self.resets = list(self.possible_agents), 0, self.resets + 1
        return self._look(), {}

    def step(self, actions):
        assert set(actions) == set(self.agents)
        assert all(self.action_space(a).contains(actions[a]) for a in actions)
        self.clock += 1
        best = {"dove": 1, "hawk": 6}
        envy = 0.1 * (actions.get("hawk") == 6)
        reward = {a: float(actions[a] == best[a]) - envy for a in actions}
        left = {a: a == "dove" and self.clock >= self.leaves for a in actions}
        over = dict.fromkeys(actions, self.clock >= self.horizon)
        seen = self._look()
        self.agents = [a for a in self.agents if not left[a] and not over[a]]
        return seen, reward, left, over, {a: {} for a in actions}


def live_together(copies=4, updates=1, steps=16, **env):
    learner = Independent(num_envs=copies, steps_per_update=steps, learning_rate=0.01, minibatch=64)
    genomes = {"dove": genome_of(learner, 8), "hawk": genome_of(learner, 6, 4)}
    copies_of_env = [Habits(**env) for _ in range(copies)]
    population = learner.build(copies_of_env, genomes, EXTRINSIC, streams(3))
    reports = [population.update() for _ in range(updates)]
    return population, reports, copies_of_env


def test_independent_learners_find_their_dominant_actions():
    population, reports, _ = live_together(updates=25)
    for agent, best in (("dove", 1), ("hawk", 1)):
        live = population.learners[agent]
        logits = live.logits(live.recent_observations(20))
        chance = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        assert chance[:, best].mean() > 0.85
        assert reports[-1][agent].mean_return > reports[0][agent].mean_return + 1
    assert population.learners["dove"].effective().architecture.layers == (Layer("dense", 8),)
    assert population.learners["hawk"].effective().architecture.widths() == (6, 4)
    assert population.learners["hawk"].observation_size == 3


def test_nothing_is_shared_between_independent_learners():
    population, _, _ = live_together()
    dove, hawk = population.learners["dove"], population.learners["hawk"]
    before = hawk.agent_state().parameters
    rule = replace(dove.genome.learning_rule, learning_rate=0.5)
    dove.install(replace(dove.agent_state(), genome=replace(dove.genome, learning_rule=rule)))
    assert hawk.effective().learning_rule.learning_rate == 0.01
    after = hawk.agent_state().parameters
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_an_agent_that_leaves_early_is_not_learned_from_while_it_is_away():
    _, (reports,), envs = live_together(horizon=8, leaves=3, steps=16)
    assert reports["hawk"].steps == 4 * 16
    assert reports["dove"].steps == 4 * 2 * 3
    assert reports["dove"].episodes == reports["hawk"].episodes == 8
    assert reports["dove"].flops < reports["hawk"].flops
    assert [env.resets for env in envs] == [3] * 4


def test_the_same_seed_gives_the_same_society():
    first, other = live_together(updates=2)[0], live_together(updates=2)[0]
    for agent in ("dove", "hawk"):
        agent_states = [each.learners[agent].agent_state() for each in (first, other)]
        assert checkpoint.to_bytes(agent_states[0]) == checkpoint.to_bytes(agent_states[1])


# --- environments that do not fit ----------------------------------------------------------------


def test_environments_that_do_not_fit_are_refused_in_words():
    learner, genome = PPO(num_envs=2), genome_of(PPO(), 4)
    build = learner.build
    with pytest.raises(ValueError, match="needs SAME_STEP"):
        build(gym.make_vec("CartPole-v1", 2), {"agent": genome}, EXTRINSIC, streams())
    for env_id, message in (("FrozenLake-v1", "must be a Box"), ("Pendulum-v1", "be Discrete")):
        mode = {"autoreset_mode": AutoresetMode.SAME_STEP}
        env = gym.make_vec(env_id, 2, vectorization_mode="sync", vector_kwargs=mode)
        with pytest.raises(ValueError, match=message):
            build(env, {"agent": genome}, EXTRINSIC, streams())
    with pytest.raises(ValueError, match="one agent, got genomes for a, b"):
        build(cart_pole(2), dict.fromkeys("ab", genome), EXTRINSIC, streams())
    with pytest.raises(ValueError, match="unknown objectives: extrinsic"):
        build(cart_pole(2), {"agent": genome}, {}, streams())
    joint = Independent(num_envs=1)
    with pytest.raises(ValueError, match=r"agents \['dove', 'hawk'\], the genomes are for"):
        joint.build([Habits()], {"dove": genome}, EXTRINSIC, streams())
    with pytest.raises(ValueError, match="no copies"):
        joint.build([], {"dove": genome}, EXTRINSIC, streams())
