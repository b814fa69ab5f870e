"""Changes nothing but the random streams: what a lever without effect looks like."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.contract import Lever, Spec
from sandbox.record.events import Event


@dataclass(frozen=True)
class Placebo(Lever):
    """Sets ``salt``, which only feeds the streams; doses are labels, not amounts."""

    family = "placebo"
    neutral: ClassVar[float] = 0.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """A whole number from 0."""
        del spec
        whole = dose >= 0 and float(dose).is_integer()
        return None if whole else f"a placebo's dose is a whole number from 0, not {dose:g}"

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Salt the streams."""
        return spec if dose == self.neutral else {**spec, "salt": int(dose)}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> None:
        """There is nothing to check."""
        del events, dose
