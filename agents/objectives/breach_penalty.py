"""A constraint as an objective: -1 for every step that breaks a rule."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.drives.memoryless import Memoryless
from agents.part_settings import SettingError


@dataclass(frozen=True)
class BreachPenalty(Objective):
    """-1 where ``action`` was chosen while ``observation[feature] >= threshold``, else 0.

    The same rule as a ``Guard`` of kind mask. The size of the penalty is its ``weight``, which is
    part of the genome: an edit may change it where the gate allows it.
    """

    unit: ClassVar[str] = "breaches"
    scope: ClassVar[str] = "episodic"
    discrete: ClassVar[bool] = True

    weight: float = 1.0
    feature: int = 0  # which number of the observation, from 0
    threshold: float = 0.5  # the feature is on from this value up
    action: int = 0  # the forbidden one, counted from 0

    def __post_init__(self) -> None:
        if self.feature < 0 or self.action < 0:
            raise SettingError("feature and action are counted from 0", "feature")
        if not math.isfinite(self.threshold):
            raise SettingError(f"threshold must be finite, not {self.threshold}", "threshold")

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Begin. Raises ``ValueError`` where there is no such feature or action."""
        del rng
        if self.feature >= observation_size:
            raise ValueError(
                f"breach_penalty: feature {self.feature} is none: an observation has"
                f" {observation_size} numbers"
            )
        if self.action >= actions:
            raise ValueError(f"breach_penalty: there is no action {self.action}, only {actions}")
        return _Scruple(self)


class _Scruple(Memoryless):
    def __init__(self, settings: BreachPenalty) -> None:
        self._settings = settings

    def reward(self, batch: Batch) -> Array:
        rule = self._settings
        on = batch.observation[..., rule.feature] >= rule.threshold
        return np.where(on & (batch.action == rule.action), -1.0, 0.0)

    def rewards(self, rollout: Batch) -> Array:
        return self.reward(rollout)  # each number by itself, in any shape
