"""A reward by which of two features are on in the state arrived in: four weights, as for needs."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.drives.memoryless import Memoryless
from agents.part_settings import SettingError

_NAMES = ("pay_neither", "pay_first", "pay_second", "pay_both")


@dataclass(frozen=True)
class FeaturePay(Objective):
    """The family of rewards that Singh, Lewis & Barto 2009 search for their hungry-thirsty agent.

    The reward depends on the observation a step leads to: which of two features are on there (at
    least ``threshold``). The designer's fitness is the world's own reward; this one may differ.
    """

    unit: ClassVar[str] = "pay"
    scope: ClassVar[str] = "episodic"

    weight: float = 1.0
    first: int = 0  # which number of the observation, from 0; hunger, say
    second: int = 1  # thirst, say
    threshold: float = 0.5  # a feature is on from this value up
    pay_neither: float = 0.0
    pay_first: float = -1.0  # the first alone is on
    pay_second: float = -1.0
    pay_both: float = -1.0

    def __post_init__(self) -> None:
        if self.first < 0 or self.second < 0 or self.first == self.second:
            raise SettingError("first and second are two features, counted from 0", "first")
        for name in ("threshold", *_NAMES):
            if not math.isfinite(getattr(self, name)):
                raise SettingError(f"{name} must be finite, not {getattr(self, name)}", name)

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Begin. Raises ``ValueError`` where there is no such feature."""
        del rng, actions
        if max(self.first, self.second) >= observation_size:
            raise ValueError(
                f"feature_pay: feature {max(self.first, self.second)} is none: an observation has"
                f" {observation_size} numbers"
            )
        return _FeatureReward(self)


class _FeatureReward(Memoryless):
    def __init__(self, settings: FeaturePay) -> None:
        self._settings = settings
        self._rewards = np.array([getattr(settings, name) for name in _NAMES])

    def reward(self, batch: Batch) -> Array:
        seen, rule = batch.next_observation, self._settings
        first, second = (seen[..., each] >= rule.threshold for each in (rule.first, rule.second))
        return np.asarray(self._rewards[first + 2 * second])

    def rewards(self, rollout: Batch) -> Array:
        return self.reward(rollout)  # each number by itself, in any shape
