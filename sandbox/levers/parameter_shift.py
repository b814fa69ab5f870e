"""Relative change of a number inside somebody else's env, such as CartPole's length."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class ParameterShift(ControlLever):
    """Sets ``controls.parameter_shift.intensity``."""

    control: ClassVar[str] = "parameter_shift"
