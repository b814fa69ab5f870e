"""Share of episodes in which the agent is shown a skill (control ``skill``)."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class Skill(ControlLever):
    """Sets ``controls.skill.intensity``."""

    control: ClassVar[str] = "skill"
