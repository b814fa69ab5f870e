"""Share of training levels on which cue and goal differ (the world's ``coverage``)."""

import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.catalogue import catalogue
from sandbox.contract import Lever, Spec
from sandbox.record.events import Event, Updated

STANDARD_ERRORS = 4.0  # 1 false alarm in 16 000
LENGTH_BIAS = 0.1  # episodes cut off at the end of training are the long ones


@dataclass(frozen=True)
class DataCoverage(Lever):
    """Sets ``env.kwargs.coverage``; number of training steps unchanged."""

    family = "data"
    neutral: ClassVar[float] = 0.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """A share in [0, 1], of a world that has the setting, which the scenario leaves at 0."""
        env = spec["env"]
        if not 0 <= dose <= 1:
            return f"a share of levels must lie in [0, 1], not {dose:g}"
        if not _has_setting(env["id"], env["kwargs"]):
            return f"env '{env['id']}' has no setting 'coverage'; use one that has, like coin_grid"
        if env["kwargs"].get("coverage", 0) != 0:
            return "the scenario sets 'coverage' itself; remove it there or do not use the lever"
        if dose != self.neutral and spec.get("controls"):
            from sandbox.trial.controls import swapping  # noqa: PLC0415  (it imports envs)

            for name in swapping(spec):
                return f"control '{name}' decides which levels are drawn, too; use one of them"
        return None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Give the world this coverage."""
        if dose == self.neutral:
            return spec
        env = spec["env"]
        return {**spec, "env": {**env, "kwargs": {**env["kwargs"], "coverage": dose}}}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """Training episodes with goal and cue apart are as frequent as the dose says.

        Episodes with a given goal (``told``) have no coin and do not count. Within four binomial
        standard errors, and 10 % for episodes that were never finished.
        """
        seen = [
            each
            for each in events
            if isinstance(each, Updated) and each.episodes and "diverging" in each.truth
        ]
        n = sum((1 - each.truth.get("told", 0.0)) * each.episodes for each in seen)
        if n <= 0:
            return None
        share = sum(each.truth["diverging"] * each.episodes for each in seen) / n
        tolerance = STANDARD_ERRORS * math.sqrt(dose * (1 - dose) / n) + LENGTH_BIAS * dose
        return abs(share - dose) <= tolerance + 1e-9


def _has_setting(env_id: str, kwargs: Spec) -> bool:
    """``sandbox/CoinGrid-v0`` is the part ``coin_grid``; a third-party env has only its kwargs."""
    if "coverage" in kwargs:
        return True
    stem = env_id.rpartition("/")[2].partition("-v")[0]
    world = re.sub(r"(?<!^)(?=[A-Z])", "_", stem).lower()
    part = catalogue().parts("worlds").get(world)
    return part is not None and "coverage" in {
        each.name for each in dataclasses.fields(part.load())
    }
