"""Share of steps at which a caregiver speaks (control ``caregiver``)."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class Caregiver(ControlLever):
    """Sets ``controls.caregiver.intensity``."""

    control: ClassVar[str] = "caregiver"
