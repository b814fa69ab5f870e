"""Dose 1 makes a table learn the worth of what it does (Sarsa), dose 0 of the best (Q-learning)."""

from dataclasses import dataclass

from sandbox.lever_kinds import WordLever


@dataclass(frozen=True)
class OnPolicy(WordLever):
    """Sets the learner's ``rule``."""

    setting = "rule"
    words = {0.0: "q_learning", 1.0: "sarsa"}  # noqa: RUF012  (a dataclass's class variable)
