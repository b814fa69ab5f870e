"""Levers that set one number of the learning rule an agent is born with.

A lever file names the number and says nothing else. The agent may rewrite it afterwards.
"""

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import ClassVar

from sandbox.catalogue import catalogue
from sandbox.contract import Lever, Spec
from sandbox.events import Event
from sandbox.measured import started


class RuleNumberLever(Lever):
    """Sets ``learner.<setting>``, which the scenario leaves at 0: without it."""

    family = "architecture"
    neutral: ClassVar[float] = 0.0
    setting: ClassVar[str]

    def check(self, spec: Spec, dose: float) -> str | None:
        """A number that this learner's rule may have."""
        ((name, settings),) = spec["learner"].items()
        if dose == self.neutral:
            return None
        if not math.isfinite(dose):
            return f"'{self.setting}' must be a number, not {dose:g}"
        kind = catalogue().load("learners", name)
        if self.setting not in {each.name for each in fields(kind)}:
            return f"learner '{name}' has no '{self.setting}'"
        if settings.get(self.setting, 0.0) not in {0.0, dose}:
            return f"the scenario sets '{self.setting}' itself: leave it to the lever"
        try:
            kind(**self._set(settings, dose))
        except (TypeError, ValueError) as error:
            return str(error)
        return None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Give the learner this number."""
        if dose == self.neutral:
            return spec
        ((name, settings),) = spec["learner"].items()
        return {**spec, "learner": {name: self._set(settings, dose)}}

    def _set(self, settings: Spec, dose: float) -> Spec:
        return {**settings, self.setting: dose}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """All agents were born with the number, read back from them alive. ``None``: nobody was."""
        first = started(events)
        if first is None or not first.genomes:
            return None
        rules = [genome["learning_rule"] for genome in first.genomes.values()]
        return all(rule.get(self.setting) == dose for rule in rules)
