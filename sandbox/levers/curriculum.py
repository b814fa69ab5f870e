"""Share of episodes that a curriculum chooses (control ``curriculum``)."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class Curriculum(ControlLever):
    """Sets ``controls.curriculum.intensity``."""

    control: ClassVar[str] = "curriculum"
