"""The reward behind the left door."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.contract import Lever, Spec
from sandbox.record.events import Event


@dataclass(frozen=True)
class DoorReward(Lever):
    """Sets ``reward`` of the world."""

    family = "data"
    neutral: ClassVar[float] = 1.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """A reward of at least 0, of the world with the doors."""
        if spec["env"]["id"] != "sandbox/TwoDoors-v0":
            return "only sandbox/TwoDoors-v0 has such a door"
        return None if 0 <= dose < math.inf else f"the reward must be at least 0, not {dose:g}"

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Set the reward."""
        env = spec["env"]
        kwargs = env["kwargs"] if dose == self.neutral else {**env["kwargs"], "reward": dose}
        return {**spec, "env": {**env, "kwargs": kwargs}}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """No event shows the reward behind a door."""
        del events, dose
        return None
