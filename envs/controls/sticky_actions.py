"""Sometimes repeats the action of the step before, whatever action was chosen.

Machado et al. 2018 (arXiv:1709.06009) put this into Atari games to keep agents from learning one
sequence by heart; their usual share is 0.25. An episode's first action is always carried out.
Infos report the action that was carried out (``executed``).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.control_kit.clock import Clock
from envs.control_kit.control import Control, ControlledEnv, Expectation, Expected, Step


@dataclass(frozen=True)
class StickyActions(Control):
    """``intensity``: chance that an action sticks."""

    unit: ClassVar[str] = "share of actions that stick"

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Repeat actions."""
        return _Sticky(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """A stuck action shows only where another one was chosen."""
        del env, rng
        return _expected


def _expected(step: Step, effective_intensity: float) -> Expected:
    can_show = int((~step.fresh & (step.before != step.chosen)).sum())
    return {
        "actions_changed": (
            can_show * effective_intensity,
            can_show * effective_intensity * (1 - effective_intensity),
        )
    }


class _Sticky(ControlledEnv):
    def actions(self, chosen: Array) -> Array:
        stuck = self.rng.random(self.num_envs) < self.effective_intensity
        return np.where(stuck & ~self.fresh, self.carried, chosen)
