"""Dose 1 makes a table learn about the action it meant, dose 0 about the one carried out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.contract import Lever, Spec
from sandbox.events import Event
from sandbox.learned_rule import refusal, told

SOURCES = {0.0: "executed", 1.0: "intended"}


@dataclass(frozen=True)
class IntendedAction(Lever):
    """Sets the learner's ``learns_from``; of no effect where no action is ever replaced."""

    family = "architecture"
    neutral: ClassVar[float] = 0.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """Intended (1) or executed (0), of a learner that has the choice and was left at 0."""
        return refusal(spec, dose, "learns_from", SOURCES)

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Make the learner update these actions."""
        if dose == self.neutral:
            return spec
        ((name, settings),) = spec["learner"].items()
        return {**spec, "learner": {name: {**settings, "learns_from": SOURCES[dose]}}}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """The agents were born learning from it, read back from them alive."""
        return told(events, "learns_from", SOURCES[dose])
