"""FLOPs charged for every parameter at every update."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.contract import Lever, Spec
from sandbox.record.events import Event, Updated

ROUNDING = 1e-9  # relative


@dataclass(frozen=True)
class Upkeep(Lever):
    """Sets ``gate.upkeep``; it matters where a run ends by FLOPs (``gate.max_flops``)."""

    family = "compute"
    neutral: ClassVar[float] = 0.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """A number from 0, where the scenario sets no upkeep itself."""
        if not 0 <= dose < math.inf:
            return f"upkeep must be a number of FLOPs from 0, not {dose:g}"
        written = spec["gate"].get("upkeep", 0.0)
        if written not in {0.0, dose}:
            return "the scenario sets gate.upkeep itself; remove it there or do not use the lever"
        return None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Set the upkeep."""
        return spec if dose == self.neutral else {**spec, "gate": {**spec["gate"], "upkeep": dose}}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """Every agent was charged the dose for each of its parameters at each update."""
        updates = [each for each in events if isinstance(each, Updated)]
        if not updates:
            return None
        owed: dict[str, float] = {}
        for each in updates:
            owed[each.agent] = owed.get(each.agent, 0.0) + dose * each.parameters
            if not math.isclose(each.spent.get("upkeep", 0.0), owed[each.agent], rel_tol=ROUNDING):
                return False
        return True
