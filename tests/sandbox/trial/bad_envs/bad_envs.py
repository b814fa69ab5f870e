"""Environments that each break one promise, by name: single ones in ``BAD``, joint in ``JOINT``."""

import sys
from functools import lru_cache

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv

AT = 5  # the step at which an env goes wrong


class Good(gym.Env):
    """A walk of 20 steps; what it gives at step ``AT`` can be bent by subclasses."""

    def __init__(self):
        self.observation_space = Box(-1.0, 1.0, (3,), np.float32)
        self.action_space = Discrete(2)
        self.time = 0

    def seen(self):
        return np.full(3, self.time / 100, np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time = 0
        return self.seen(), {}

    def result(self):
        return self.seen(), 0.5, False, self.time >= 20, {}

    def bad(self):
        return self.result()

    def step(self, action):
        self.time += 1
        return self.bad() if self.time == AT else self.result()


def bent(**parts):
    """An env whose step ``AT`` gives these parts instead."""
    names = ["obs", "reward", "terminated", "truncated", "info"]

    class Bent(Good):
        def bad(self):
            return tuple(
                parts.get(name, good) for name, good in zip(names, self.result(), strict=True)
            )

    return Bent


class NanFromTheStart(Good):
    def seen(self):
        return np.full(3, np.nan, np.float32)


class FourTuple(Good):
    def bad(self):
        return self.seen(), 0.5, False, {}


class Raises(Good):
    def bad(self):
        raise RuntimeError("boom")


class Exits(Good):
    def bad(self):
        sys.exit(0)


class ExitsInReset(Good):
    def reset(self, *, seed=None, options=None):
        sys.exit(3)


class ForgetsInfo(Good):
    def reset(self, *, seed=None, options=None):
        return self.seen()


BAD = {  # name -> (env, what its TrialError says)
    "nan_start": (NanFromTheStart, "gave a non-finite observation at the reset after step 0"),
    "nan": (bent(obs=np.full(3, np.nan, np.float32)), "gave a non-finite observation at step 5"),
    "infinite": (
        bent(obs=np.array([0, np.inf, 0], np.float32)),
        "gave a non-finite observation at step 5",
    ),
    "nan_reward": (bent(reward=float("nan")), "gave a non-finite reward at step 5"),
    "inf_reward": (bent(reward=-np.inf), "gave a non-finite reward at step 5"),
    "huge_reward": (bent(reward=1e38), "gave a reward outside ±1e+06 (1e+38) at step 5"),
    "bounds": (
        bent(obs=np.full(3, 1.5, np.float32)),
        "gave an out-of-bounds observation at step 5",
    ),
    "dtype": (
        bent(obs=np.zeros(3)),
        "gave an observation of dtype float64 instead of float32 at step 5",
    ),
    "shape": (
        bent(obs=np.zeros(4, np.float32)),
        "gave an observation of shape (4,) instead of (3,) at step 5",
    ),
    "list": (bent(obs=[0.0, 0.0, 0.0]), "gave a list as observation, not an array at step 5"),
    "no_obs": (bent(obs=None), "gave None as observation, not an array at step 5"),
    "no_reward": (bent(reward=None), "gave None as reward, not a number at step 5"),
    "vector_reward": (
        bent(reward=np.zeros(1)),
        "gave a ndarray as reward, not a number at step 5",
    ),
    "four": (FourTuple, "gave 4 values where 5 values are due at step 5"),
    "info": (bent(info=[]), "gave a list as info, not a dict at step 5"),
    "flag": (bent(terminated=1), "gave a int as terminated, not a bool at step 5"),
    "raises": (Raises, "raised RuntimeError: boom at step 5"),
    "exits": (Exits, "called sys.exit(0) at step 5"),
    "exits_in_reset": (ExitsInReset, "called sys.exit(3) at the reset after step 0"),
    "forgets_info": (ForgetsInfo, "gave a ndarray where 2 values are due at the reset"),
}


class GoodJoint(ParallelEnv):
    """Two agents; ``b`` is done at step 10, ``a`` at step 20."""

    metadata = {"name": "good_joint"}  # noqa: RUF012

    def __init__(self):
        self.possible_agents = ["a", "b"]
        self.agents = []
        self.time = 0

    @lru_cache  # noqa: B019  (PettingZoo asks for the same object every time)
    def observation_space(self, agent):
        return Box(-1.0, 1.0, (2,), np.float32)

    @lru_cache  # noqa: B019
    def action_space(self, agent):
        return Discrete(2)

    def seen(self):
        return {agent: np.zeros(2, np.float32) for agent in self.agents}

    def reset(self, seed=None, options=None):
        self.time, self.agents = 0, ["a", "b"]
        return self.seen(), {agent: {} for agent in self.agents}

    def step(self, actions):
        self.time += 1
        seen = self.seen()
        rewards = dict.fromkeys(self.agents, 0.5)
        terminated = {agent: agent == "b" and self.time >= 10 for agent in self.agents}
        truncated = dict.fromkeys(self.agents, self.time >= 20)
        infos = {agent: {} for agent in self.agents}
        self.agents = [a for a in self.agents if not (terminated[a] or truncated[a])]
        parts = [seen, rewards, terminated, truncated, infos]
        if self.time == AT:
            self.bend(parts)
        return tuple(parts)

    def bend(self, parts):
        """Leave everything as it is."""


def joint(bend):
    """A joint env whose parts this function spoils at step ``AT``."""
    return type("Bent", (GoodJoint,), {"bend": bend})


class Resurrects(GoodJoint):
    def step(self, actions):
        result = super().step(actions)
        if self.time == 12:
            self.agents = ["a", "b"]
        return result


JOINT = {
    "missing": (
        joint(lambda _, parts: parts[0].pop("b")),
        "gave no observations for agents ['b'] at step 5",
    ),
    "no_reward": (
        joint(lambda _, parts: parts[1].pop("a")),
        "gave no rewards for agents ['a'] at step 5",
    ),
    "unknown": (
        joint(lambda _, parts: parts[1].update(c=0.0)),
        "gave rewards for unknown or ended agents ['c'] at step 5",
    ),
    "resurrected": (Resurrects, "gave agents for unknown or ended agents ['b'] at step 12"),
    "vanished": (
        joint(lambda env, _: env.agents.remove("b")),
        "gave no agents for agents ['b'] at step 5",
    ),
    "nan": (
        joint(lambda _, parts: parts[0].update(b=np.full(2, np.nan, np.float32))),
        "gave a non-finite observation of b at step 5",
    ),
    "shape": (
        joint(lambda _, parts: parts[0].update(b=np.zeros(3, np.float32))),
        "gave an observation of b of shape (3,) instead of (2,) at step 5",
    ),
    "nan_reward": (
        joint(lambda _, parts: parts[1].update(a=float("nan"))),
        "gave a non-finite reward of a at step 5",
    ),
    "list": (
        joint(lambda _, parts: parts.__setitem__(0, [])),
        "gave a list as observations, not a dict at step 5",
    ),
    "exits": (joint(lambda _, __: sys.exit(0)), "called sys.exit(0) at step 5"),
}
