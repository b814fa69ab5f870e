"""Dose 1 makes a table learn the worth of what it does (Sarsa), dose 0 of the best (Q-learning)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.contract import Lever, Spec
from sandbox.events import Event
from sandbox.learned_rule import refusal, told

RULES = {0.0: "q_learning", 1.0: "sarsa"}


@dataclass(frozen=True)
class OnPolicy(Lever):
    """Sets the learner's ``rule``."""

    family = "architecture"
    neutral: ClassVar[float] = 0.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """Sarsa (1) or Q-learning (0), of a learner that has a rule and was left at Q-learning."""
        return refusal(spec, dose, "rule", RULES)

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Give the learner this rule."""
        if dose == self.neutral:
            return spec
        ((name, settings),) = spec["learner"].items()
        return {**spec, "learner": {name: {**settings, "rule": RULES[dose]}}}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """The agents were born with the rule of the dose, read back from them alive."""
        return told(events, "rule", RULES[dose])
