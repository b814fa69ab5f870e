"""Taps on how episodes are begun, on both sides of a control: with which level, or which seed.

Our worlds draw first states, so those can be compared. Of an env that is not ours only the seeds
can be known with which its copies are told to reset.
"""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import SyncVectorEnv

from envs.contract import State
from envs.world_kit.state import differing


class LevelTaps:
    """Counts episodes begun that nobody outside forced, and those begun otherwise than told."""

    def __init__(self, face: Any) -> None:
        """Tap on the side of the env; ``face`` is the unwrapped one."""
        self.face, self.begun, self.changed = face, 0, 0
        self._before, self._drawn = 0, None
        self._seed: int | None = None
        if hasattr(face, "levels"):
            face.levels = self._near_draw(face.levels)
        elif isinstance(face, SyncVectorEnv):
            face.envs = [_Near(each, self) for each in face.envs]

    def behind(self) -> None:
        """Tap again, behind the control."""
        if hasattr(self.face, "levels"):
            self.face.levels = self._far_draw(self.face.levels)
        elif isinstance(self.face, SyncVectorEnv):
            self.face.envs = [_Far(each, self) for each in self.face.envs]

    def since(self) -> int:
        """Return the number of episodes begun since this was last asked."""
        drawn, self._before = self.begun - self._before, self.begun
        return drawn

    def add(self, sums: dict[str, float], counts: dict[str, int]) -> None:
        """Hand over what was counted, and begin anew."""
        if self.begun:
            sums["episodes_changed"], counts["episodes_changed"] = self.changed, self.begun
        self.begun = self.changed = self._before = 0

    # --- worlds ---

    def _near_draw(self, draw: Any) -> Any:
        def drawn(
            rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
        ) -> State:
            self._drawn = draw(rng, n, options)
            return self._drawn

        return drawn

    def _far_draw(self, draw: Any) -> Any:
        def drawn(
            rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
        ) -> State:
            state = draw(rng, n, options)
            given, self._drawn = self._drawn, None
            if not options:
                self.begun += n
                self.changed += self._other(given, state, n)
            return state

        return drawn

    @staticmethod
    def _other(given: State, state: State, n: int) -> int:
        if given is state:
            return 0
        return n if given is None else int(differing(given, state).sum())

    # --- seeds ---

    def near(self, seed: int | None) -> None:
        """Note the seed with which a copy was reset in the end."""
        self._seed = seed

    def far(self, seed: int | None) -> None:
        """Note the seed that was given from outside; the copy has been reset."""
        if seed is None:
            self.begun += 1
            self.changed += self._seed is not None
        self._seed = None


class _Tap(gym.Wrapper[Any, Any, Any, Any]):
    def __init__(self, env: gym.Env[Any, Any], taps: LevelTaps) -> None:
        super().__init__(env)
        self._taps = taps


class _Near(_Tap):
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        self._taps.near(seed)
        return self.env.reset(seed=seed, options=options)


class _Far(_Tap):
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        result = self.env.reset(seed=seed, options=options)
        self._taps.far(seed)
        return result
