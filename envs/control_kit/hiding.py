"""What the controls that hide inputs share: which are dark, and what that must change."""

from collections.abc import Callable

import numpy as np

from envs.arrays import Array
from envs.control_kit.control import ControlledEnv, Expectation, Expected, Step, blank

Hidden = Callable[[float], Array]
"""Effective intensity -> indices of the inputs that are dark."""


def first(k: int, effective_intensity: float) -> int:
    """How many of ``k`` things an intensity hides: rounded, a half upwards."""
    return int(effective_intensity * k + 0.5)


class HidingEnv(ControlledEnv):
    """Blanks some inputs of every observation. A leaf sets ``hidden``."""

    hidden: Hidden
    rows: Array

    def turned(self) -> None:
        """Other inputs go dark."""
        self.rows = self.hidden(self.effective_intensity)

    def observations(self, seen: Array, rows: Array) -> Array:
        """Blank them."""
        shown = seen.copy().reshape(len(rows), -1)
        shown[:, self.rows] = blank(self)[self.rows]
        return shown.reshape(seen.shape)


def hiding(hidden: Hidden, dark: Array) -> Expectation:
    """Exactly the hidden numbers that were not blank already change."""

    def expected(step: Step, effective_intensity: float) -> Expected:
        rows = hidden(effective_intensity)
        return {"inputs_changed": (float(np.sum(step.seen[:, rows] != dark[rows])), 0.0)}

    return expected
