"""One small run of each learner that may be rewritten: PPO, A2C, DQN, SAC, and two streams."""

from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from agents.arrays import Array
from agents.genome import Genome, Layer, learning_rule
from agents.learners.a2c import A2C
from agents.learners.dqn import DQN
from agents.learners.ppo import PPO
from agents.learners.ppo_two_streams import PpoTwoStreams
from agents.learners.sac import SAC
from agents.objectives.simhash import Simhash
from tests.agents.small_worlds import EXTRINSIC, SIZE, SMALL, Signpost, streams

DIMENSIONS = 2
_GATHERED = {"num_envs": 4, "steps_per_update": 8}
_REMEMBERED = {**_GATHERED, "memory": 400, "warmup": 40, "minibatch": 16, "gradient_steps": 3}
SETTINGS: dict[str, Any] = {
    "ppo": PPO(**_GATHERED, learning_rate=3e-3, minibatch=16, epochs=2),
    "a2c": A2C(**_GATHERED, learning_rate=3e-3),
    "dqn": DQN(**_REMEMBERED, learning_rate=3e-3, target_every=3, target_rate=0.7),
    "sac": SAC(**_REMEMBERED, learning_rate=3e-3),
}
ALL = tuple(SETTINGS)
STREAMED = "ppo_two_streams"
"""PPO with a third tower: where towers matter it is tried beside ``ALL``."""
SETTINGS[STREAMED] = PpoTwoStreams(**_GATHERED, learning_rate=3e-3, minibatch=16, epochs=2)
_DRIVES = {STREAMED: {**EXTRINSIC, "simhash": Simhash(bits=6)}}
_MIXES = {STREAMED: (("extrinsic", 1.0), ("simhash", 0.5))}


class Pointer(VectorEnv):
    """Rewards acting where the observation points; half of its ends are deaths, half are cuts."""

    metadata: ClassVar = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, num_envs: int = 4, horizon: int = 5, seed: int = 0) -> None:
        self.num_envs, self.horizon = num_envs, horizon
        self.single_observation_space = gym.spaces.Box(-1, 1, (SIZE,), np.float32)
        self.single_action_space = gym.spaces.Box(
            np.array([-2, 0], np.float32), np.array([2, 1], np.float32)
        )
        self.rng = np.random.default_rng(seed)
        self.clock = 0

    def _look(self) -> Array:
        self.shown = self.rng.uniform(-1, 1, (self.num_envs, SIZE)).astype(np.float32)
        return self.shown.copy()

    def reset(self, *, seed=None, options=None):
        return self._look(), {}

    def step(self, actions):
        assert all(map(self.single_action_space.contains, actions)), actions
        reward = 1.0 - np.square(actions - self.shown[:, :DIMENSIONS]).sum(1).astype(np.float64)
        self.clock += 1
        over = np.full(self.num_envs, self.clock % self.horizon == 0)
        died = over & (np.arange(self.num_envs) % 2 == 0)
        following = self._look()
        info = {"final_obs": following.copy(), "_final_obs": over} if over.any() else {}
        if over.any():
            following = self._look()
        return following, reward, died, over & ~died, info


def an_env(name: str, seed: int = 0) -> VectorEnv:
    return Pointer(seed=seed) if name == "sac" else Signpost(4, seed=seed)


def a_genome(name: str, *layers: Layer, **rule: Any) -> Genome:
    own = learning_rule({**SETTINGS[name].genome_rule(), **rule})
    architecture = SMALL.architecture
    if layers:
        architecture = replace(architecture, layers=layers)
    return Genome(architecture, own, _MIXES.get(name, SMALL.objective))


def population(name: str, genome: Genome | None = None, *, seed: int = 0, env: Any = None, **more):
    objectives = more.pop("objectives", _DRIVES.get(name, EXTRINSIC))
    env = env or an_env(name, seed)
    genomes = {"agent": genome or a_genome(name)}
    return replace(SETTINGS[name], **more).build(env, genomes, objectives, streams(seed))


def after_updates(name: str, updates: int = 3, *args: Any, **more: Any) -> Any:
    """A population after so many updates, and its learner."""
    one = population(name, *args, **more)
    for _ in range(updates):
        one.update()
    return one, one.learners["agent"]


@cache
def an_agent_state_of(name: str) -> Any:
    """The agent state after three updates; do not change it."""
    return after_updates(name)[1].agent_state()
