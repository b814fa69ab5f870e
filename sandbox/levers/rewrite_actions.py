"""Price of a rewrite that the agent asks for by one of its own actions; 0 offers none."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class RewriteActions(ControlLever):
    """Sets ``controls.rewrite_actions.intensity``."""

    control: ClassVar[str] = "rewrite_actions"
