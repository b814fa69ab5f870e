"""Bases of levers: a control's intensity, a word or a number of the initial learning rule.

``ControlLever``: the dose is the control's intensity. Every control has one, made from its name by
``lever_of``. All other settings of the control (``start``, ``schedule``, ...) are those that the
scenario gives it under ``controls``.

``WordLever`` chooses between two words of a tabular learner's setting; a lever file names the
setting and its two words. ``RuleNumberLever`` sets one number of the initial learning rule; a lever
file names the number. The agent may rewrite either afterwards.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, make_dataclass
from functools import cache
from typing import Any, ClassVar

from sandbox.analysis.control_readings import as_expected, moved
from sandbox.analysis.metric_base import started
from sandbox.catalogue import catalogue
from sandbox.contract import Lever, Spec, named
from sandbox.record.events import Controlled, Event, TrialStarted, Updated


class ControlLever(Lever):
    """Sets ``controls.<control>.intensity``; number of training steps unchanged."""

    family = "data"
    neutral: ClassVar[float] = 0.0
    control: ClassVar[str]

    def check(self, spec: Spec, dose: float) -> str | None:
        """Return what the control says against this intensity or this env, or ``None``."""
        from sandbox.trial.controls import misfit  # noqa: PLC0415  (what a report loads imports no envs)

        written = spec["controls"].get(self.control, {})
        if written.get("intensity", 0) not in {0, dose}:
            return (
                f"the scenario sets controls.{self.control}.intensity itself; remove it there or"
                " do not use the lever"
            )
        try:
            self._made(spec, dose)
        except ValueError as error:
            return str(error)
        if dose == self.neutral:
            return None
        found = misfit(self._set(spec, dose), self.control)
        return found.reason if found else None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Set the intensity."""
        return spec if dose == self.neutral else self._set(spec, dose)

    def _set(self, spec: Spec, dose: float) -> Spec:
        made = self._made(spec, dose)
        whole = {each.name: _json(getattr(made, each.name)) for each in fields(made)}
        return {**spec, "controls": {**spec["controls"], self.control: whole}}

    def _made(self, spec: Spec, dose: float) -> Any:
        """The control with this intensity. Raises ``ValueError`` where it refuses."""
        written = spec["controls"].get(self.control, {})
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in written.items()}
        return catalogue().load("controls", self.control)(**{**values, "intensity": dose})

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """The meter measured what the dose should do, within 4.5 standard errors.

        ``None`` where no measurement could have shown it.
        """
        if not any(isinstance(each, Updated) for each in events):
            return None
        found = [e for e in events if isinstance(e, Controlled) and e.control == self.control]
        if dose == self.neutral:
            return not any(map(moved, found))
        active = [each for each in found if each.effective_intensity > 0]
        if not active or any(each.intensity != dose for each in found):
            return False
        return self.agrees(active)

    def agrees(self, active: Sequence[Controlled]) -> bool | None:
        """Does what was measured while the control was on agree with what it should do?"""
        names = sorted({name for each in active for name in each.expected})
        found = [as_expected(active, name) for name in names]
        return None if all(each is None for each in found) else False not in found


@cache
def lever_of(control: str) -> type[ControlLever]:
    """Make the lever of a control, the same class each time; the control is not imported."""
    namespace = {
        "__doc__": f"Sets ``controls.{control}.intensity``.",
        "__module__": __name__,
        "control": control,
    }
    name = "".join(each.capitalize() for each in control.split("_"))
    return make_dataclass(name, (), bases=(ControlLever,), namespace=namespace, frozen=True)


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class WordLever(Lever):
    """Sets ``learner.<setting>``: dose 0 is the default word, dose 1 the other."""

    family = "architecture"
    neutral: ClassVar[float] = 0.0
    setting: ClassVar[str]
    words: ClassVar[Mapping[float, str]]

    def check(self, spec: Spec, dose: float) -> str | None:
        """One of the two, of a learner that has the choice and was left at the first."""
        name, settings = named(spec["learner"])
        setting, words = self.setting, self.words
        if dose not in words:
            listed = " or ".join(f"{each} ({at:g})" for at, each in sorted(words.items()))
            return f"'{setting}' is {listed}, not {dose:g}"
        if setting not in settings:
            return f"learner '{name}' has no '{setting}'; use one that has, like tabular"
        if settings[setting] not in {words[0.0], words[dose]}:
            wanted = f"leave it at '{words[0.0]}'"
            return f"the scenario sets '{setting}' to '{settings[setting]}'; {wanted}"
        return None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Give the learner this word."""
        if dose == self.neutral:
            return spec
        learner = named(spec["learner"]).changed(**{self.setting: self.words[dose]})
        return {**spec, "learner": learner}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """All agents started with the word, as read back from them; ``None`` without agents."""
        starts = [each for each in events if isinstance(each, TrialStarted)]
        rules = [genome["learning_rule"] for each in starts for genome in each.genomes.values()]
        word = self.words[dose]
        return all(rule.get(self.setting) == word for rule in rules) if rules else None


class RuleNumberLever(Lever):
    """Sets ``learner.<setting>``, which the scenario leaves at 0: without it."""

    family = "architecture"
    neutral: ClassVar[float] = 0.0
    setting: ClassVar[str]

    def check(self, spec: Spec, dose: float) -> str | None:
        """A number that this learner's rule may have."""
        name, settings = named(spec["learner"])
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
            kind(**{**settings, self.setting: dose})
        except (TypeError, ValueError) as error:
            return str(error)
        return None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Give the learner this number."""
        if dose == self.neutral:
            return spec
        return {**spec, "learner": named(spec["learner"]).changed(**{self.setting: dose})}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """All agents started with the number, as read back from them; ``None`` without agents."""
        first = started(events)
        if first is None or not first.genomes:
            return None
        rules = [genome["learning_rule"] for genome in first.genomes.values()]
        return all(rule.get(self.setting) == dose for rule in rules)
