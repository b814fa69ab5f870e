"""Blanks whole observations: the agent must act without seeing.

Time is cut into stretches of ``length`` observations, separately in each copy of the env; a stretch
is dark with the probability that the intensity gives.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.control_kit.clock import Clock
from envs.control_kit.control import Control, ControlledEnv, Expectation, Expected, Step, blank
from envs.world_kit.settings import WorldSettingError


@dataclass(frozen=True)
class Blackout(Control):
    """``intensity``: chance that an observation is dark."""

    length: int = 1  # observations that go dark, or stay light, together

    unit: ClassVar[str] = "share of observations that are dark"

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if self.length < 1:
            raise WorldSettingError(f"length must be at least 1, not {self.length}", "length")

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Let observations go dark."""
        return _Dark(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """Darkness shows wherever there was anything to see."""
        del rng
        dark = blank(env)

        def expected(step: Step, effective_intensity: float) -> Expected:
            can_show = int((step.seen != dark).any(axis=1).sum())
            spread = (
                effective_intensity * (1 - effective_intensity) * self.length
            )  # a stretch is one draw
            return {"observations_changed": (can_show * effective_intensity, can_show * spread)}

        return expected


class _Dark(ControlledEnv):
    left: Array | None = None  # observations until a copy draws again
    dark: Array

    def observations(self, seen: Array, rows: Array) -> Array:
        if self.left is None:
            self.left, self.dark = np.zeros(self.num_envs, int), np.zeros(self.num_envs, bool)
        drawn = self.rng.random(self.num_envs) < self.effective_intensity
        due = rows[self.left[rows] == 0]
        self.dark[due] = drawn[due]
        self.left[due] = self.control.length
        self.left[rows] -= 1
        shown = seen.copy()
        shown[self.dark[rows]] = blank(self).reshape(seen.shape[1:])
        return shown
