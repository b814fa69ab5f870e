"""Bound on what somebody adds to rewards, or takes away, to teach an action of his choice."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class RewardPoison(ControlLever):
    """Sets ``controls.reward_poison.intensity``."""

    control: ClassVar[str] = "reward_poison"
