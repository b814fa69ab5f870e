"""Factor on the training budget: total environment steps, and with them FLOPs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from sandbox.contract import Lever, Spec, named
from sandbox.record.events import Event, Updated


@dataclass(frozen=True)
class Compute(Lever):
    """Multiplies the learner's ``total_steps``."""

    family = "compute"
    neutral: ClassVar[float] = 1.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """A positive factor that leaves at least one step."""
        name, settings = named(spec["learner"])
        if not dose > 0 or not math.isfinite(dose):
            return f"a factor on compute must be positive, not {dose:g}"
        if "total_steps" not in settings:
            return f"learner '{name}' has no 'total_steps' to multiply"
        if round(settings["total_steps"] * dose) < 1:
            return f"{dose:g} of {settings['total_steps']} steps leaves none"
        return None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Scale ``total_steps``, rounded to a whole step."""
        if dose == self.neutral:
            return spec
        learner = named(spec["learner"])
        steps = round(learner.settings["total_steps"] * dose)
        return {**spec, "learner": learner.changed(total_steps=steps)}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> None:
        """One trial does not show it: its spending is compared with another trial's."""
        del events, dose

    def contrast_check(
        self, base: Sequence[Event], treated: Sequence[Event], ratio: float
    ) -> bool | None:
        """Steps spent differ, by the ratio to within a rollout of each; FLOPs go the same way.

        Where both budgets round up to the same whole rollouts, nothing was changed.
        """
        one, other = _spent(base), _spent(treated)
        if one is None or other is None:
            return None
        slack = one.rollout * ratio + other.rollout
        arrived = abs(other.steps - ratio * one.steps) <= slack
        if ratio == 1 or other.steps == one.steps:
            return arrived and ratio == 1
        return arrived and (other.flops > one.flops) == (other.steps > one.steps)


class _Spent(NamedTuple):
    steps: int
    flops: float
    rollout: int  # steps of one update: budgets are spent in whole ones


def _spent(events: Sequence[Event]) -> _Spent | None:
    updates = [each for each in events if isinstance(each, Updated)]
    if not updates:
        return None
    last = {each.agent: each for each in updates}
    steps = max(each.steps for each in updates)
    return _Spent(steps, sum(each.flops for each in last.values()), updates[0].steps)
