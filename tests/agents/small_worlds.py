"""Small worlds and learners for tests, all chance from one seed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective, Streams
from agents.genome import Architecture, Genome, Layer, LearningRule
from agents.objectives.extrinsic import Extrinsic
from sandbox.seeding import stream

torch.set_num_threads(1)  # as every trial runs

SIZE, CHOICES = 4, 3
SMALL = Genome(
    Architecture((Layer("dense", 8), Layer("residual", 5), Layer("dense", 6))),
    LearningRule(learning_rate=3e-3, minibatch=32, epochs=2),
)


def streams(seed: int = 0) -> Streams:
    return lambda name: stream(seed, name)


class Signpost(VectorEnv):
    """Gives 1 for the action the observation points at; every episode is cut after ``horizon``."""

    metadata: ClassVar = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, num_envs: int = 8, horizon: int = 5, seed: int = 0) -> None:
        self.num_envs, self.horizon = num_envs, horizon
        self.single_observation_space = gym.spaces.Box(-1, 1, (2, SIZE // 2), np.float32)
        self.single_action_space = gym.spaces.Discrete(CHOICES, start=1)
        self.rng = np.random.default_rng(seed)
        self.clock = 0

    def _look(self) -> Array:
        self.shown = self.rng.uniform(-1, 1, (self.num_envs, 2, SIZE // 2)).astype(np.float32)
        return self.shown

    def reset(self, *, seed=None, options=None):
        assert seed is None, "learners do not seed environments"
        return self._look(), {}

    def step(self, actions):
        assert all(map(self.single_action_space.contains, actions)), actions
        flat = self.shown.reshape(self.num_envs, -1)[:, :CHOICES]
        reward = (actions - 1 == flat.argmax(1)).astype(np.float64)
        self.clock += 1
        over = np.full(self.num_envs, self.clock % self.horizon == 0)
        following = self._look()
        info = {"final_obs": following.copy(), "_final_obs": over} if over.any() else {}
        if over.any():
            following = self._look()
        return following, reward, np.zeros(self.num_envs, bool), over, info


@dataclass(frozen=True)
class Flat(Objective):
    """Gives the same at every step; counts what it was shown."""

    unit: ClassVar[str] = "flat"
    scope: ClassVar[str] = "lifelong"
    amount: float = 1.0

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        return FlatLiveObjective(self.amount)


class FlatLiveObjective(LiveObjective):
    def __init__(self, reward: float) -> None:
        self.amount, self.batches, self.learned = reward, [], []

    def reward(self, batch: Batch) -> Array:
        self.batches.append(batch)
        return np.full(len(batch.reward), self.amount)

    def update(self, rollout: Batch) -> None:
        self.learned.append(rollout.next_observation.copy())

    def state_dict(self) -> Mapping[str, Array]:
        return {}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        del state

    def flops(self, steps: int) -> float:
        return 7.0 * steps


EXTRINSIC: Mapping[str, Objective] = {"extrinsic": Extrinsic()}


def solo(genome: Genome = SMALL, *, seed: int = 0, steps: int = 8, num_envs: int = 8, **more: Any):
    from agents.algorithms.ppo_start import build_learner
    from agents.training.population import Solo

    env = more.pop("env", None) or Signpost(num_envs, seed=seed)
    objectives = more.pop("objectives", EXTRINSIC)
    make = partial(build_learner, engine=more.pop("engine", "auto"))
    return Solo(env, steps, {"agent": genome}, objectives, streams(seed), make=make)


def learner(genome: Genome = SMALL, **settings: Any):
    return solo(genome, **settings).learners["agent"]


def linear(**rule: Any) -> Genome:
    """No layers: the value is ``w . x + b``, so that advantages can be done by hand."""
    return Genome(Architecture(()), replace(LearningRule(minibatch=32, epochs=1), **rule))


def final_weights(updates: int, between: Callable[[Any, int], None], **settings: Any) -> Any:
    """Train ``updates`` updates, calling ``between(learner, i)`` after each; the final state."""
    population = solo(**settings)
    one = population.learners["agent"]
    for i in range(updates):
        population.update()
        between(one, i)
    return one.agent_state()
