"""Share of inputs that stay dark in training."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class ObservationFilter(ControlLever):
    """Sets ``controls.observation_filter.intensity``."""

    control: ClassVar[str] = "observation_filter"
