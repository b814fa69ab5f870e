"""Dose 1 makes a table learn the value of its own policy (Sarsa), dose 0 Q-learning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sandbox.lever_kinds import WordLever


@dataclass(frozen=True)
class OnPolicy(WordLever):
    """Sets the learner's ``rule``."""

    setting = "rule"
    words: ClassVar[Mapping[float, str]] = {0.0: "q_learning", 1.0: "sarsa"}
