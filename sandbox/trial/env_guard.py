"""A per-step guard around environments that are not ours: their output is checked.

Learners check nothing: a NaN surfaces an update later as an error about logits, a wrong dtype
is cast in silence, ``sys.exit(0)`` looks like success. Here each becomes a ``TrialError`` that
names the env, what it did, and the step.

All checks on what a third-party environment gives, with one form of message.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Space
from gymnasium.vector import SyncVectorEnv, VectorEnv, VectorWrapper
from pettingzoo.utils.wrappers import BaseParallelWrapper

from envs.arrays import Array
from sandbox.errors import TrialError

REWARD_BOUND = 1e6
"""Larger rewards overflow float32 training sooner or later, so they count as a fault."""


class EnvChecks:
    """What one env is doing, for messages, and the checks on what it gives."""

    def __init__(self, env_id: str) -> None:
        self.env_id = env_id
        self.where = "when made"
        self.steps = 0
        self._bounds: dict[int, tuple[Box, Array, Array]] = {}  # the key is the space's id

    def fail(self, what: str) -> TrialError:
        """Return the error that this env ``what``."""
        return TrialError(f"env '{self.env_id}' {what} {self.where}")

    @contextmanager
    def calling(self, where: str) -> Iterator[None]:
        """Turn whatever the env's code raises into a ``TrialError``."""
        self.where = where
        try:
            yield
        except TrialError:
            raise
        except SystemExit as error:
            raise self.fail(f"called sys.exit({error.code!r})") from error
        except Exception as error:
            raise self.fail(f"raised {type(error).__name__}: {error}") from error

    def stepping(self) -> Any:
        """``calling`` for the next step."""
        self.steps += 1
        return self.calling(f"at step {self.steps}")

    def observation(self, seen: Any, space: Space[Any], whose: str = "") -> None:
        """Check one observation, or a batch with its batched space."""
        if not isinstance(space, Box):
            if seen is None or not space.contains(seen):
                raise self.fail(f"gave an observation{whose} that is not in {space}")
            return
        if not isinstance(seen, np.ndarray | np.generic):
            raise self.fail(f"gave {kind_of(seen)} as observation{whose}, not an array")
        if seen.shape != space.shape:
            raise self.fail(
                f"gave an observation{whose} of shape {seen.shape} instead of {space.shape}"
            )
        if seen.dtype != space.dtype:
            raise self.fail(
                f"gave an observation{whose} of dtype {seen.dtype} instead of {space.dtype}"
            )
        low, high = self._finite_bounds(space)
        if not ((seen >= low) & (seen <= high)).all():  # NaN fails every comparison
            kind = "non-finite" if not np.isfinite(seen).all() else "out-of-bounds"
            raise self.fail(f"gave {'an' if kind[0] == 'o' else 'a'} {kind} observation{whose}")

    def _finite_bounds(self, space: Box) -> tuple[Array, Array]:
        if id(space) not in self._bounds:
            low: Array = space.low
            high: Array = space.high
            if np.issubdtype(low.dtype, np.floating):
                most = np.finfo(low.dtype).max
                low, high = np.maximum(low, -most), np.minimum(high, most)
            # The space is kept alive, so that its id cannot become another's.
            self._bounds[id(space)] = (space, low, high)
        return self._bounds[id(space)][1:]

    def reward(self, given: Any, whose: str = "") -> None:
        """Check one agent's reward."""
        number = isinstance(given, int | float | np.number | np.bool_)
        if not (number or (isinstance(given, np.ndarray) and given.ndim == 0)):
            raise self.fail(f"gave {kind_of(given)} as reward{whose}, not a number")
        value = float(given)
        if not abs(value) <= REWARD_BOUND:
            if math.isfinite(value):
                raise self.fail(f"gave a reward{whose} outside ±{REWARD_BOUND:g} ({value:g})")
            raise self.fail(f"gave a non-finite reward{whose}")

    def flags(self, terminated: Any, truncated: Any, whose: str = "") -> None:
        """Check the two ways an episode may end."""
        for name, given in (("terminated", terminated), ("truncated", truncated)):
            if not isinstance(given, bool | np.bool_):
                raise self.fail(f"gave {kind_of(given)} as {name}{whose}, not a bool")

    def returned(self, result: Any, length: int) -> Any:
        """Check that reset or step gave a tuple of this length that ends in a dict."""
        if not isinstance(result, tuple) or len(result) != length:
            got = f"{len(result)} values" if isinstance(result, tuple) else kind_of(result)
            raise self.fail(f"gave {got} where {length} values are due")
        if not isinstance(result[-1], dict):
            raise self.fail(f"gave {kind_of(result[-1])} as info, not a dict")
        return result


def kind_of(value: Any) -> str:
    """Say what a wrong value is, for a message."""
    return "None" if value is None else f"a {type(value).__name__}"


def _reset(
    watch: EnvChecks, env: Any, seed: Any, options: dict[str, Any] | None
) -> tuple[Any, dict[str, Any]]:
    with watch.calling(f"at the reset after step {watch.steps}"):
        seen, info = watch.returned(env.reset(seed=seed, options=options), 2)
    watch.observation(seen, env.observation_space)
    return seen, info


class GuardedEnv(gym.Wrapper[Any, Any, Any, Any]):
    """Guards one Gymnasium env."""

    def __init__(self, env: gym.Env[Any, Any], env_id: str) -> None:
        super().__init__(env)
        self.watch = EnvChecks(env_id)

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
    every step: a heartbeat for the process that waits.
    """

    def __init__(
        self, env: VectorEnv, env_id: str, beat: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(env)
        self.watch = EnvChecks(env_id)
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
        self.watch = EnvChecks(env_id)
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
