"""A world of fixed length, and agents that a discriminator's output rewards."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from agents.contract import LiveObjective, Objective
from agents.genome import Architecture, Genome, Layer, LearningRule
from agents.value_learning.soft_planning import occupancies
from tests.agents.demonstrators import draw
from tests.agents.small_worlds import solo


class Table(VectorEnv):
    """A written-down world, step by step; every episode is cut after its ``horizon``."""

    metadata: ClassVar = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, world, num_envs, seed=0):
        self.world, self.num_envs, self.clock = world, num_envs, 0
        states, actions, _ = world.transition.shape
        self.single_observation_space = gym.spaces.Box(0, 1, (states,), np.float32)
        self.single_action_space = gym.spaces.Discrete(actions)
        self.rng = np.random.default_rng(seed)

    def _begin(self):
        self.states = draw(np.tile(self.world.start, (self.num_envs, 1)), self.rng)
        return self.world.observation[self.states]

    def reset(self, *, seed=None, options=None):
        return self._begin(), {}

    def step(self, actions):
        self.states = draw(self.world.transition[self.states, actions], self.rng)
        seen = self.world.observation[self.states]
        self.clock += 1
        over = np.full(self.num_envs, self.clock % self.world.horizon == 0)
        no = np.zeros(self.num_envs, bool)
        info = {"final_obs": seen, "_final_obs": over} if over.any() else {}
        return (self._begin() if over.any() else seen), np.zeros(self.num_envs), no, over, info


@dataclass(frozen=True)
class JudgedClaim(Objective):
    """Gives what a value model finds, and lets it watch; ``box`` gets the live objective."""

    unit: ClassVar[str] = "nats"
    scope: ClassVar[str] = "lifelong"
    model: Any = None
    evidence: Any = None
    box: list = field(default_factory=list)

    def start(self, observation_size, actions, rng):
        valuer = self.model.start(observation_size, actions, rng)
        valuer.learn(self.evidence)
        self.box.append(_JudgedClaim(valuer))
        return self.box[0]


class _JudgedClaim(LiveObjective):
    def __init__(self, valuer):
        self.valuer, self.policy = valuer, None

    def reward(self, batch):
        return self.valuer.reward(batch)

    def update(self, rollout):
        self.valuer.watch(rollout, self.policy)

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        del state


GENOME = Genome(
    Architecture((Layer("dense", 32),)),
    LearningRule(learning_rate=3e-3, minibatch=256, epochs=4, entropy_coefficient=0.01),
    (("judged", 1.0),),
)


def imitate(world, model, evidence, *, updates, seed=0, variable_horizon=False, genome=GENOME):
    """The policy ``[states, actions]`` of who learns by this model alone, and the model."""
    judged = JudgedClaim(model, evidence)
    env = Table(world, 32, seed)
    population = solo(
        genome, seed=seed, steps=world.horizon, env=env, objectives={"judged": judged}
    )
    learner = population.learners["agent"]

    def logs(seen):
        z = learner.logits(seen)
        return z - np.logaddexp.reduce(z, axis=1, keepdims=True)

    if variable_horizon:
        judged.box[0].policy = logs
    for _ in range(updates):
        population.update()
    return np.exp(logs(world.observation)), judged.box[0].valuer


def worth(world, policy, rewards):
    """Expected return, exactly: ``rewards`` [states] for each state that a step arrives in."""
    tables = np.broadcast_to(policy, (world.horizon, *world.transition.shape[:2]))
    return float((occupancies(world.transition, world.start, tables)[1:] @ rewards).sum())
