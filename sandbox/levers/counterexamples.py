"""Share of breaches of a rule that training data show not to pay (control ``counterexamples``)."""

from dataclasses import dataclass
from typing import ClassVar

from sandbox.control_lever import ControlLever


@dataclass(frozen=True)
class Counterexamples(ControlLever):
    """Sets ``controls.counterexamples.intensity``."""

    control: ClassVar[str] = "counterexamples"
