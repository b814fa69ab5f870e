"""What the left door pays."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.contract import Lever, Spec
from sandbox.record.events import Event


@dataclass(frozen=True)
class DoorPay(Lever):
    """Sets ``pay`` of the world."""

    family = "data"
    neutral: ClassVar[float] = 1.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """A pay that is no price, of the world with the doors."""
        if spec["env"]["id"] != "sandbox/TwoDoors-v0":
            return "only sandbox/TwoDoors-v0 has a door that pays"
        return None if 0 <= dose < math.inf else f"a door pays at least 0, not {dose:g}"

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Set what it pays."""
        env = spec["env"]
        kwargs = env["kwargs"] if dose == self.neutral else {**env["kwargs"], "pay": dose}
        return {**spec, "env": {**env, "kwargs": kwargs}}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """No event tells what a door pays."""
        del events, dose
        return None
