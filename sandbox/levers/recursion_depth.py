"""How deep a ``recursive`` editor may edit itself: 0 its learner only, up to 3 steps above that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.contract import Lever, Spec, named
from sandbox.record.events import Edited, Event

DEEPEST = 3


@dataclass(frozen=True)
class RecursionDepth(Lever):
    """Sets ``depth`` of the editor; everything else, the price included, stays."""

    family = "architecture"
    neutral: ClassVar[float] = 0.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """A whole number from 0 to 3, and an editor ``recursive`` that leaves it to the lever."""
        if dose not in range(DEEPEST + 1):
            return f"a depth is a whole number from 0 to {DEEPEST}, not {dose:g}"
        name, settings = named(spec["editor"])
        if name != "recursive":
            return f"only the editor 'recursive' has a depth, not '{name}'"
        if settings.get("depth", 0) not in (0, int(dose)):
            return f"the editor already has depth {settings['depth']}: leave it to the lever"
        return None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Set the depth."""
        if dose == self.neutral:
            return spec
        return {**spec, "editor": named(spec["editor"]).changed(depth=int(dose))}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """Edits of the editor were done at every level down to the dose, and at none below it."""
        edits = [each for each in events if isinstance(each, Edited)]
        if not edits:
            return None
        levels = {_level(each) for each in edits if each.edit == "set_editor" and each.applied}
        return levels == set(range(1, int(dose) + 1))


def _level(event: Edited) -> int:
    """Of a step of the tower, ``step_1`` to ``step_3``; 0 of any other setting."""
    tower, _, level = str(event.settings.get("name", "")).rpartition("_")
    return int(level) if tower == "step" and level.isdigit() else 0
