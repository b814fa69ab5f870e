"""Dose 1 removes the agent's editor: the same agent, unable to rewrite itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.contract import Lever, Spec
from sandbox.record.events import Edited, Event, TrialStarted


@dataclass(frozen=True)
class FreezeEditor(Lever):
    """Replaces the editor by ``fixed``, which proposes nothing."""

    family = "architecture"
    neutral: ClassVar[float] = 0.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """Frozen (1) or not (0)."""
        del spec
        return None if dose in {0, 1} else f"an editor is frozen (1) or not (0), not {dose:g}"

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Install the ``fixed`` editor."""
        return spec if dose == self.neutral else {**spec, "editor": {"fixed": {}}}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """A frozen agent applied no edit. A free one need not edit, so dose 0 shows nothing."""
        if dose == self.neutral or not any(isinstance(each, TrialStarted) for each in events):
            return None
        return not _rewritten(events)

    def contrast_check(
        self, base: Sequence[Event], treated: Sequence[Event], ratio: float
    ) -> bool | None:
        """The agent that is free to edit did rewrite itself: else both arms are the same."""
        del ratio
        if not base or not treated:
            return None
        return _rewritten(base) != _rewritten(treated)


def _rewritten(events: Sequence[Event]) -> bool:
    return any(isinstance(each, Edited) and each.applied for each in events)
