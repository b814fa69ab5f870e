"""Standard deviation of noise on every reward that the learner is paid."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class RewardNoise(ControlLever):
    """Sets ``controls.reward_noise.intensity``."""

    control: ClassVar[str] = "reward_noise"
