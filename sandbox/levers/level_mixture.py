"""Share of the training levels from another distribution (control ``level_mixture``)."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class LevelMixture(ControlLever):
    """Sets ``controls.level_mixture.intensity``."""

    control: ClassVar[str] = "level_mixture"
