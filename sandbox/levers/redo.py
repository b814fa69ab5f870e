"""Every how many updates all dormant units are reset; 0: never."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.contract import Lever, Spec
from sandbox.record.events import Edited, Event, Updated

EDIT = "reset_dormant"


@dataclass(frozen=True)
class Redo(Lever):
    """Replaces the editor by a ``schedule`` of ``reset_dormant`` (Sokar et al. 2023).

    Each time, the units of all layers of all towers that were dormant in the last rollout.
    """

    family = "architecture"
    neutral: ClassVar[float] = 0.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """A whole number from 0, of a learner with units."""
        if dose < 0 or not float(dose).is_integer():
            return f"units are reset every so many updates, or never (0), not {dose:g}"
        if dose and not spec["architecture"]["layers"]:
            return "the agent has no layers, so no units to reset"
        return None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Install the editor."""
        if dose == self.neutral:
            return spec
        item = {"every": int(dose), "edit": EDIT, "layer": -1, "tower": "all"}
        return {**spec, "editor": {"schedule": {"plan": [item]}}}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """Resets were proposed after every so many updates but the last, and never else.

        Of dose 0, and of a trial that is too short, the events do not show it.
        """
        updates = max((each.update for each in events if isinstance(each, Updated)), default=0)
        if dose == self.neutral or updates <= dose:
            return None
        edits = [each for each in events if isinstance(each, Edited)]
        due = set(range(int(dose), updates, int(dose)))
        return {each.update for each in edits if each.edit == EDIT} == due
