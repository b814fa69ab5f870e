"""Stable-Baselines3's PPO: in ``DummyVecEnv`` of 8 plain envs, or on 64 copies in one pass.

Everything but minibatch, epochs and the length of a rollout is at SB3's defaults. A rollout is of
2048 steps in both, as ours is; SB3's own default with eight envs is 8 x 2048.
"""

import time
from functools import cache
from typing import Any

import gymnasium
import numpy as np
import stable_baselines3
import torch
from contenders.answering import Training, plain_window, serve
from contenders.batched_worlds import PlainStream
from contenders.ours import COPIES, STEPS, world
from contenders.plain_worlds import PlainCoinGrid
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

ENVS = 8


class OnePass(VecEnv):
    """A Gymnasium vector env as SB3 wants it; methods that training does not call are refused."""

    def __init__(self, env: Any) -> None:
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
        self.env = env

    def reset(self) -> Any:
        """Start all episodes."""
        return self.env.reset()[0]

    def step_async(self, actions: Any) -> None:
        """Remember the actions."""
        self.chosen = actions

    def step_wait(self) -> Any:
        """Step, and tell of ended episodes as SB3 does."""
        seen, reward, terminated, truncated, info = self.env.step(self.chosen)
        ended = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(ended):
            cut = bool(truncated[i] and not terminated[i])
            infos[i] = {"terminal_observation": info["final_obs"][i], "TimeLimit.truncated": cut}
        return seen, reward, ended, infos

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> Any:
        """SB3 asks for a render mode."""
        del attr_name, indices
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuse."""
        raise NotImplementedError

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        """Refuse."""
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """None is."""
        del wrapper_class, indices
        return [False] * self.num_envs


def one(name: str) -> Any:
    """A single env, as an author would write it by hand."""
    if name == "cartpole":
        return gymnasium.make("CartPole-v1")
    return PlainStream() if name == "stream" else PlainCoinGrid(coverage=0.5)


class Stock(Training):
    """SB3's PPO in one world."""

    def __init__(self, name: str, minibatch: int, epochs: int, *, batched: bool) -> None:
        dummy = [lambda: Monitor(one(name)) for _ in range(ENVS)]
        homes: VecEnv = OnePass(world(name)) if batched else DummyVecEnv(dummy)
        self.steps = COPIES * STEPS
        self.model = stable_baselines3.PPO(
            "MlpPolicy",
            homes,
            n_steps=self.steps // homes.num_envs,
            batch_size=minibatch,
            n_epochs=epochs,
            seed=0,
            device="cpu",
        )
        self.train, self.model.train = self.model.train, self._timed_train  # type: ignore[method-assign]

    def _timed_train(self) -> None:
        begun = time.process_time()
        self.train()
        self.learning += time.process_time() - begun

    def update(self) -> int:
        """One rollout and one update."""
        self.model.learn(self.steps, reset_num_timesteps=False)
        return self.steps


@cache
def training(name: str, minibatch: int, epochs: int, *, batched: bool) -> Stock:
    """A model that has learned once."""
    made = Stock(name, minibatch, epochs, batched=batched)
    made.update()
    return made


def answer(*, arm: str, seconds: float, **case: Any) -> dict[str, Any]:
    """One window; SB3 has no edits."""
    if arm != "plain":
        raise ValueError(f"SB3 does not do {arm!r}")
    return plain_window(training(**case), seconds)


if __name__ == "__main__":
    torch.set_num_threads(1)
    serve(answer)
