"""Share of the channels listed under ``controls.hygiene.channels`` that training hides."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class Hygiene(ControlLever):
    """Sets ``controls.hygiene.intensity``."""

    control: ClassVar[str] = "hygiene"
