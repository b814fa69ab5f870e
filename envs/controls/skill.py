"""Shows the agent a randomly drawn skill, on which its policy can depend.

The observation grows by ``skills`` numbers, the last ones: a 1 at the skill in force and 0
elsewhere. Which one is drawn uniformly when an episode begins and, with ``resample``, again after
that many of its steps. Alone it is noise; the objective ``diayn`` rewards states that reveal the
skill (Eysenbach et al. 2019, arXiv:1802.06070). It reads these numbers, so no control that adds to
observations, or changes them, may come behind this one (by name, the last is the outermost).

Evaluation shows no skill: all of them 0. With intensity 1 training never does, so what is then
evaluated is the policy at an input it has not learned from, and says little of any one skill. An
intensity below 1 leaves a share of episodes without a skill, and trains the policy for it.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space

from envs.arrays import Array
from envs.control_kit.beside import expects_shown, one_hot, too_many_axes
from envs.control_kit.clock import Clock
from envs.control_kit.control import Control, ControlledEnv, Expectation
from envs.world_kit.settings import WorldSettingError

_FEWEST = 2


@dataclass(frozen=True)
class Skill(Control):
    """``intensity``: share of episodes with a skill."""

    skills: int = 4
    resample: int = 0  # steps after which another is drawn; 0: one an episode

    unit: ClassVar[str] = "share of episodes with a skill"

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if self.skills < _FEWEST:
            raise WorldSettingError(f"skills must be at least 2, not {self.skills}", "skills")
        if self.resample < 0:
            raise WorldSettingError(f"resample must be at least 0, not {self.resample}", "resample")

    def refuse(self, env: VectorEnv) -> str | None:
        """Numbers are added to a row of numbers."""
        return super().refuse(env) or too_many_axes(env)

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Show skills; at intensity 0 the observation does not grow."""
        if not self.intensity:
            return ControlledEnv(self, env, rng, clock)
        return _Skilled(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """Episodes that begin with a skill."""
        del env, rng
        return expects_shown(1.0)


class _Skilled(ControlledEnv):
    def __init__(
        self, control: Any, env: VectorEnv, rng: np.random.Generator, clock: Clock
    ) -> None:
        super().__init__(control, env, rng, clock)
        own: Any = env.single_observation_space
        low, high = np.zeros(control.skills, own.dtype), np.ones(control.skills, own.dtype)
        self.single_observation_space = Box(
            np.concatenate([own.low, low]), np.concatenate([own.high, high]), dtype=own.dtype
        )
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.skill = np.full(self.num_envs, -1)  # -1: an episode without one
        self.age = np.zeros(self.num_envs, int)  # steps of the episodes under way

    def actions(self, chosen: Array) -> Array:
        self.age += 1
        if self.control.resample:
            drawn = self._drawn(self.num_envs)
            again = (self.age % self.control.resample == 0) & (self.skill >= 0)
            self.skill = np.where(again, drawn, self.skill)
        return chosen

    def begun(self, rows: Array) -> None:
        shown = self.rng.random(len(rows)) < self.effective_intensity
        self.skill[rows] = np.where(shown, self._drawn(len(rows)), -1)
        self.age[rows] = 0

    def observations(self, seen: Array, rows: Array) -> Array:
        return self._with(seen, self.skill[rows])

    def silent(self, seen: Array) -> Array:
        return self._with(seen, np.full(len(seen), -1))

    def _with(self, seen: Array, skill: Array) -> Array:
        added = one_hot(skill, self.control.skills).astype(seen.dtype)
        return np.concatenate([seen, added], axis=1)

    def _drawn(self, n: int) -> Array:
        return self.rng.integers(self.control.skills, size=n)
