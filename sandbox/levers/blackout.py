"""Share of training observations that are dark."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class Blackout(ControlLever):
    """Sets ``controls.blackout.intensity``."""

    control: ClassVar[str] = "blackout"
