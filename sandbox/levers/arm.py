"""Chooses among the scenario's ``arms``: agents that differ by more than a number, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sandbox.analysis.metric_base import started
from sandbox.contract import Lever, Spec
from sandbox.errors import did_you_mean
from sandbox.record.events import Event

MERGED = ("gate", "controls")
"""Of these an arm gives only what differs."""


@dataclass(frozen=True)
class Arm(Lever):
    """Doses are names under ``arms``; ``agent`` is the scenario's agent as it stands."""

    family = "architecture"
    named = True
    neutral: ClassVar[str] = "agent"

    def check(self, spec: Spec, dose: str) -> str | None:
        """One of the scenario's arms."""
        arms = spec.get("arms", {})
        if dose == self.neutral or dose in arms:
            return None
        hint = did_you_mean(str(dose), arms)
        return f"no arm is called '{dose}'; there are {', '.join([self.neutral, *arms])}{hint}"

    def apply(self, spec: Spec, dose: str) -> Spec:
        """Replace the agent's parts by the arm's."""
        if dose == self.neutral:
            return spec
        arm: Mapping[str, Any] = spec["arms"][dose]
        merged = {key: {**spec[key], **arm[key]} for key in MERGED if key in arm}
        return {**spec, **arm, **merged}

    def manipulation_check(self, events: Sequence[Event], dose: str) -> bool | None:
        """The trial says that it is of this arm."""
        first = started(events)
        return None if first is None else first.condition.get("arm") == dose

    def contrast_check(
        self, base: Sequence[Event], treated: Sequence[Event], ratio: float
    ) -> bool | None:
        """Agents of both arms start different. Gates and controls do not show in a genome."""
        del ratio
        one, other = started(base), started(treated)
        if one is None or other is None or one.genomes == other.genomes:
            return None
        return True
