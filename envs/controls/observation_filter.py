"""Blanks a share of the numbers that an agent observes, the same ones throughout the trial.

Which ones is drawn once per trial; a greater share hides the same ones and more.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.control_kit.clock import Clock
from envs.control_kit.control import Control, Expectation, blank
from envs.control_kit.hiding import Hidden, HidingEnv, first, hiding


@dataclass(frozen=True)
class ObservationFilter(Control):
    """``intensity``: share of inputs that are hidden."""

    unit: ClassVar[str] = "share of inputs that are hidden"

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Hide inputs."""
        filtered = HidingEnv(self, env, rng, clock)
        filtered.hidden = _drawn(env, rng)
        return filtered

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """The same inputs, drawn again."""
        return hiding(_drawn(env, rng), blank(env))


def _drawn(env: VectorEnv, rng: np.random.Generator) -> Hidden:
    order = rng.permutation(len(blank(env)))
    return lambda effective_intensity: order[: first(len(order), effective_intensity)]
