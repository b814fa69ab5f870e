"""Share of levels from another distribution once the shift has come (control ``shift``)."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class Shift(ControlLever):
    """Sets ``controls.shift.intensity``."""

    control: ClassVar[str] = "shift"
