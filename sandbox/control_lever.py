"""The lever of a control: the dose is the control's intensity.

Every control has one, made from its name by ``lever_of``. All other settings of the control
(``start``, ``schedule``, ...) are those that the scenario gives it under ``controls``.
"""

from collections.abc import Sequence
from dataclasses import fields, make_dataclass
from functools import cache
from typing import Any, ClassVar

from sandbox.catalogue import catalogue
from sandbox.contract import Lever, Spec
from sandbox.control_readings import as_expected, moved
from sandbox.events import Controlled, Event, Updated


class ControlLever(Lever):
    """Sets ``controls.<control>.intensity``; number of training steps unchanged."""

    family = "data"
    neutral: ClassVar[float] = 0.0
    control: ClassVar[str]

    def check(self, spec: Spec, dose: float) -> str | None:
        """Return what the control says against this intensity or this env, or ``None``."""
        from sandbox.controls import refusal  # noqa: PLC0415  (what a report loads imports no envs)

        written = spec["controls"].get(self.control, {})
        if written.get("intensity", 0) not in {0, dose}:
            return (
                f"the scenario sets controls.{self.control}.intensity itself; remove it there or"
                " turn no lever on it"
            )
        try:
            self._made(spec, dose)
        except ValueError as error:
            return str(error)
        return None if dose == self.neutral else refusal(self._set(spec, dose), self.control)

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Turn the dial."""
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
        """The gauge measured what the dose should do, within 4.5 standard errors.

        ``None`` where nothing that was done could have shown it.
        """
        if not any(isinstance(each, Updated) for each in events):
            return None
        found = [e for e in events if isinstance(e, Controlled) and e.control == self.control]
        if dose == self.neutral:
            return not any(map(moved, found))
        active = [each for each in found if each.strength > 0]
        if not active or any(each.intensity != dose for each in found):
            return False
        return self.agrees(active)

    def agrees(self, active: Sequence[Controlled]) -> bool | None:
        """Does what was measured while the control was on agree with what it should do?"""
        names = sorted({name for each in active for name in each.expected})
        told = [as_expected(active, name) for name in names]
        return None if all(each is None for each in told) else False not in told


@cache
def lever_of(control: str) -> type[ControlLever]:
    """Make the lever of a control, the same class each time; the control is not imported."""
    told = {
        "__doc__": f"Sets ``controls.{control}.intensity``.",
        "__module__": __name__,
        "control": control,
    }
    name = "".join(each.capitalize() for each in control.split("_"))
    return make_dataclass(name, (), bases=(ControlLever,), namespace=told, frozen=True)


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
