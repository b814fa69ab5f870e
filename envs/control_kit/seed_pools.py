"""Levels of envs that are not ours: a seed makes a level, so a pool of seeds is a pool of levels.

It needs copies that are reset one by one, as in Gymnasium's ``SyncVectorEnv``. What a seed fixes is
all chance of the episode, the level's and the steps' alike.
"""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv

from envs.arrays import Array

SEEDS = 2**31


def sealed(env: VectorEnv) -> str | None:
    """One line: why copies cannot be seeded one by one; ``None`` where they can."""
    if isinstance(env.unwrapped, SyncVectorEnv):
        return None
    return "its copies cannot be reset one by one, so no seed can be chosen for an episode"


def reseed(env: VectorEnv, choose: Callable[[int], int | None]) -> None:
    """Let ``choose`` name the seed of every episode of copy ``i``, or ``None`` to let it be."""
    face: Any = env.unwrapped
    face.envs = [_Reseeded(each, i, choose) for i, each in enumerate(face.envs)]


def seeds(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw seeds; which of them are the same is of no importance, so few are."""
    return rng.integers(SEEDS, size=shape)


class _Reseeded(gym.Wrapper[Any, Any, Any, Any]):
    """Leaves alone what the caller forces by seed or options."""

    def __init__(self, env: gym.Env[Any, Any], i: int, choose: Callable[[int], int | None]) -> None:
        super().__init__(env)
        self._i, self._choose = i, choose
        self._own: np.random.Generator | None = None  # set aside while a chosen seed is in force

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        chosen = self._choose(self._i) if seed is None and not options else None
        bare = self.env.unwrapped
        if chosen is not None and self._own is None:
            self._own = bare.np_random
        elif chosen is None and self._own is not None:
            # Without this, whatever follows a chosen seed would be the same every time as well.
            bare.np_random, self._own = self._own, None
        return self.env.reset(seed=seed if chosen is None else chosen, options=options)
