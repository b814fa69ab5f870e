"""Share of episodes with an expert to see (control ``demonstrations``)."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class Demonstrations(ControlLever):
    """Sets ``controls.demonstrations.intensity``."""

    control: ClassVar[str] = "demonstrations"
