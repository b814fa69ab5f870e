"""A per-step guard around environments that are not ours: what they give is checked, then believed.

Learners believe everything: a NaN surfaces an update later as an error about logits, a wrong dtype
is cast in silence, ``sys.exit(0)`` looks like success. Here each becomes a ``TrialError`` that
names the env, what it did, and the step.
"""

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv, VectorWrapper
from pettingzoo.utils.wrappers import BaseParallelWrapper

from envs.arrays import Array
from sandbox.watch import REWARD_BOUND, Watch, kind_of


def _reset(
    watch: Watch, env: Any, seed: Any, options: dict[str, Any] | None
) -> tuple[Any, dict[str, Any]]:
    with watch.calling(f"at the reset after step {watch.steps}"):
        seen, info = watch.returned(env.reset(seed=seed, options=options), 2)
    watch.observation(seen, env.observation_space)
    return seen, info


class GuardedEnv(gym.Wrapper[Any, Any, Any, Any]):
    """Guards one Gymnasium env."""

    def __init__(self, env: gym.Env[Any, Any], env_id: str) -> None:
        super().__init__(env)
        self.watch = Watch(env_id)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset the env and check its first observation."""
        return _reset(self.watch, self.env, seed, options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the env and check everything it gives."""
        watch = self.watch
        with watch.stepping():
            result = watch.returned(self.env.step(action), 5)
        seen, reward, terminated, truncated, info = result
        watch.observation(seen, self.env.observation_space)
        watch.reward(reward)
        watch.flags(terminated, truncated)
        return seen, reward, terminated, truncated, info


class GuardedVectorEnv(VectorWrapper):
    """Guards a Gymnasium vector env; the copies inside a ``SyncVectorEnv`` one by one.

    A ``SyncVectorEnv`` writes what its copies give into one array of the declared shape and dtype,
    which hides wrong ones; so each copy is guarded next to its own code. ``beat`` is called at
    every step: a sign of life for whoever waits.
    """

    def __init__(
        self, env: VectorEnv, env_id: str, beat: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(env)
        self.watch = Watch(env_id)
        self.beat = beat
        if isinstance(env.unwrapped, SyncVectorEnv):
            env.unwrapped.envs = [_guarded_inside(each, env_id) for each in env.unwrapped.envs]

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset all copies and check their first observations."""
        return _reset(self.watch, self.env, seed, options)

    def step(self, actions: Any) -> tuple[Any, Array, Array, Array, dict[str, Any]]:
        """Step all copies and check everything they give."""
        self.beat()
        watch = self.watch
        with watch.stepping():
            result = watch.returned(self.env.step(actions), 5)
        seen, rewards, terminated, truncated, info = result
        watch.observation(seen, self.env.observation_space)
        self._check_vectors(rewards, terminated, truncated)
        if "final_obs" in info:
            for each in info["final_obs"][info["_final_obs"]]:
                watch.observation(each, self.env.single_observation_space, " at an episode's end")
        return seen, rewards, terminated, truncated, info

    def _check_vectors(self, rewards: Any, terminated: Any, truncated: Any) -> None:
        watch, shape = self.watch, (self.num_envs,)
        for name, given in (
            ("rewards", rewards),
            ("terminated", terminated),
            ("truncated", truncated),
        ):
            if not isinstance(given, np.ndarray) or given.shape != shape:
                raise watch.fail(f"gave {name} that are no array of shape {shape}")
        if not (np.abs(rewards) <= REWARD_BOUND).all():
            for each in rewards:
                watch.reward(each)

    def close(self, **kwargs: Any) -> None:
        """Close all copies."""
        with self.watch.calling("when closed"):
            self.env.close(**kwargs)


def _guarded_inside(env: gym.Env[Any, Any], env_id: str) -> gym.Env[Any, Any]:
    """Put a ``GuardedEnv`` next to the env's own code, inside Gymnasium's wrappers."""
    if not isinstance(env, gym.Wrapper):
        return GuardedEnv(env, env_id)
    inner = env
    while isinstance(inner.env, gym.Wrapper):
        inner = inner.env
    inner.env = GuardedEnv(inner.env, env_id)
    return env


class GuardedParallelEnv(BaseParallelWrapper):  # type: ignore[misc]
    """Guards a PettingZoo parallel env: every agent's entry in every dict."""

    def __init__(
        self,
        env: Any,
        env_id: str,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(env)
        self.watch = Watch(env_id)
        self.beat = beat
        self._live: set[str] = set()

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Reset the env and check every agent's first observation."""
        watch = self.watch
        with watch.calling(f"at the reset after step {watch.steps}"):
            seen, infos = watch.returned(self.env.reset(seed=seed, options=options), 2)
        self._live = set(self.env.agents)
        self._check_names("agents", self._live, set(self.env.possible_agents), subset=True)
        return self._observed(seen), infos

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[
        dict[str, Any],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Step the env and check every agent's entries."""
        self.beat()
        with self.watch.stepping():
            result = self.watch.returned(self.env.step(actions), 5)
        seen, rewards, terminated, truncated, infos = result
        seen = self._observed(seen)
        for name, given in (
            ("rewards", rewards),
            ("terminated", terminated),
            ("truncated", truncated),
        ):
            self._check_names(name, given, self._live)
        for agent in self._live:
            self.watch.reward(rewards[agent], f" of {agent}")
            self.watch.flags(terminated[agent], truncated[agent], f" of {agent}")
        staying = {each for each in self._live if not (terminated[each] or truncated[each])}
        self._check_names("agents", set(self.env.agents), staying)
        self._live = staying
        return seen, rewards, terminated, truncated, infos

    def close(self) -> None:
        """Close the env."""
        with self.watch.calling("when closed"):
            self.env.close()

    def _observed(self, seen: Any) -> dict[str, Any]:
        """Check all observations; return copies, as an env may go on writing into its own."""
        self._check_names("observations", seen, self._live)
        for agent in self._live:
            self.watch.observation(seen[agent], self.env.observation_space(agent), f" of {agent}")
        return {agent: np.array(each) for agent, each in seen.items()}

    def _check_names(self, what: str, given: Any, live: set[str], *, subset: bool = False) -> None:
        if not isinstance(given, Mapping | set):
            raise self.watch.fail(f"gave {kind_of(given)} as {what}, not a dict")
        unknown, missing = set(given) - live, live - set(given)
        if unknown:
            raise self.watch.fail(f"gave {what} for unknown or ended agents {sorted(unknown)}")
        if missing and not subset:
            raise self.watch.fail(f"gave no {what} for agents {sorted(missing)}")
