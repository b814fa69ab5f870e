"""Share of forbidden actions that are stopped before the world (control ``shield``)."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class Shield(ControlLever):
    """Sets ``controls.shield.intensity``."""

    control: ClassVar[str] = "shield"
