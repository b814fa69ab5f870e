"""Taps on how episodes are begun, on both sides of a control: with which level, or which seed.

Our worlds draw first states, so those can be compared. In a third-party env only the
seeds that its copies get at a reset are known.
"""

from typing import Any

import gymnasium as gym
from gymnasium.vector import SyncVectorEnv, VectorEnv

from envs.contract import State
from envs.faces.gymnasium import batch_of
from envs.faces.shared import Options
from envs.world_kit.state import differing, size


class LevelTaps:
    """Counts episodes that the caller did not force, and those that a control changed."""

    def __init__(self, env: VectorEnv) -> None:
        """Tap on the side of the env."""
        self.begun, self.changed = 0, 0
        self._before, self._drawn = 0, None
        self._seed: int | None = None
        self._face, self._third_party = batch_of(env), env.unwrapped
        if self._face is not None:
            self._face.levels.then(self._near_draw)
        elif isinstance(self._third_party, SyncVectorEnv):
            self._third_party.envs = [_BeforeControl(each, self) for each in self._third_party.envs]

    def behind(self) -> None:
        """Tap again, behind the control."""
        if self._face is not None:
            self._face.levels.then(self._far_draw)
        elif isinstance(self._third_party, SyncVectorEnv):
            self._third_party.envs = [_AfterControl(each, self) for each in self._third_party.envs]

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

    def _near_draw(self, state: State, options: Options) -> State:
        del options
        self._drawn = state
        return state

    def _far_draw(self, state: State, options: Options) -> State:
        given, self._drawn = self._drawn, None
        if not options:
            self.begun += size(state)
            self.changed += 0 if given is state else int(differing(given, state).sum())
        return state

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


class _BeforeControl(_Tap):
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        self._taps.near(seed)
        return self.env.reset(seed=seed, options=options)


class _AfterControl(_Tap):
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        result = self.env.reset(seed=seed, options=options)
        self._taps.far(seed)
        return result
