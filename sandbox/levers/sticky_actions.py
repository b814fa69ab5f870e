"""Share of actions that stick: the one before is carried out again."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class StickyActions(ControlLever):
    """Sets ``controls.sticky_actions.intensity``."""

    control: ClassVar[str] = "sticky_actions"
