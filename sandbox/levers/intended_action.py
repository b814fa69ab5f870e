"""Dose 1 makes a table learn about the action intended, dose 0 about the one executed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sandbox.lever_kinds import WordLever


@dataclass(frozen=True)
class IntendedAction(WordLever):
    """Sets the learner's ``learns_from``; of no effect where no action is ever replaced."""

    setting = "learns_from"
    words: ClassVar[Mapping[float, str]] = {0.0: "executed", 1.0: "intended"}
