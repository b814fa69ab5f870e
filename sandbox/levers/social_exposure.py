"""Share of episodes with others in them (control ``social_exposure``)."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class SocialExposure(ControlLever):
    """Sets ``controls.social_exposure.intensity``."""

    control: ClassVar[str] = "social_exposure"
