"""Standard deviation of noise on every number that the agent sees in training."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class ObservationNoise(ControlLever):
    """Sets ``controls.observation_noise.intensity``."""

    control: ClassVar[str] = "observation_noise"
