"""Share of episodes on a fixed pool of levels (control ``distinct_levels``)."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class DistinctLevels(ControlLever):
    """Sets ``controls.distinct_levels.intensity``."""

    control: ClassVar[str] = "distinct_levels"
