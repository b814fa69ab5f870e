"""Detects changes of a signal by a CUSUM of ranks; its false-alarm rate is distribution-free.

A value is scored by its rank ``r`` among the ``n`` values before it (those of the window, since the
last alarm), counted from 0, ties half: ``z = sqrt(12) ((r + 1/2) / (n + 1) - 1/2)``, which has mean
0 and variance (about) 1 while nothing changes. Evidence is ``S = max(0, S + z - drift)`` (Page
1954), an alarm ``S > threshold``; ranks in a CUSUM are McDonald's (1990, Naval Research Logistics
37). Ranks of values in random order do not depend on what the values are distributed like, so the
rate of false alarms is the same number for every stream of independent, identically distributed
values: by default ``FALSE_ALARMS``. Ties make alarms rarer. Autocorrelated values make them more
frequent, and a trend is a change.

Also a distribution-free test of trend: does a curve still rise?
"""

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from agents.contract import View

FALSE_ALARMS = 0.71e-3
"""Alarms a value, one signal watched in one direction by the defaults; simulated, 2 % off."""
RETURNS = "returns"
"""``View.returns`` as a signal; all others are those of ``View.signals``."""
FLOPS_BESIDES = 8
"""Of one value: scoring it, and adding it to the evidence; ranking it is a comparison a value."""


@dataclass(frozen=True)
class ChangeRule:
    """What counts as a change."""

    direction: Literal["rises", "falls"] = "rises"
    window: int = 64  # values that a new one is ranked among
    least: int = 8  # no alarm before so many are known
    drift: float = 0.5
    threshold: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what could never, or would always, raise an alarm."""
        if self.direction not in {"rises", "falls"}:
            raise ValueError(f"direction is rises or falls, not {self.direction!r}")
        if not 1 <= self.least <= self.window:
            raise ValueError(f"least is 1 to window={self.window}, not {self.least}")
        if not 0 <= self.drift < math.sqrt(3):
            raise ValueError(f"drift is from 0 to below sqrt(3), not {self.drift}")
        if not 0 < self.threshold < math.inf:
            raise ValueError(f"threshold is a finite number above 0, not {self.threshold}")


@dataclass
class Detector:
    """Watches one signal."""

    watch: ChangeRule = field(default_factory=ChangeRule)
    recent: list[float] = field(default_factory=list)
    evidence: float = 0.0

    def take(self, value: float | None) -> bool:
        """Take in one value; ``True`` is an alarm, after which all begins anew.

        ``None`` is no value; one that is not finite counts as larger than every finite one.
        """
        if value is None:
            return False
        value = value if math.isfinite(value) else math.inf
        if len(self.recent) >= self.watch.least:
            step = self._score(value) - self.watch.drift
            self.evidence = max(0.0, self.evidence + step)
        alarm = self.evidence > self.watch.threshold
        if alarm:
            self.recent, self.evidence = [], 0.0
        self.recent = [*self.recent[-self.watch.window + 1 :], value][-self.watch.window :]
        return alarm

    def _score(self, value: float) -> float:
        """Standardised rank, higher where the signal went the way that is watched."""
        ordered = sorted(self.recent)
        below, upto = bisect.bisect_left(ordered, value), bisect.bisect_right(ordered, value)
        share = ((below + upto) / 2 + 0.5) / (len(ordered) + 1)
        score = math.sqrt(12) * (share - 0.5)
        return score if self.watch.direction == "rises" else -score


DEFAULT: Mapping[str, Literal["rises", "falls"]] = {
    RETURNS: "falls",
    "novelty": "rises",
    "gradient_norm": "rises",
    "value_loss": "rises",
}
"""Four signals in the direction of a world that has changed: together at most 2.9 false alarms in
1000 updates, if all are stationary."""


class Changes:
    """Watches several signals of a run, those that there are."""

    def __init__(
        self, watched: Sequence[str] = tuple(DEFAULT), watch: ChangeRule | None = None
    ) -> None:
        """``watched`` names signals; one without a direction of its own is watched for rising."""
        plain = watch or ChangeRule()
        self._detectors = {
            name: Detector(replace(plain, direction=DEFAULT.get(name, "rises"))) for name in watched
        }
        self._seen = 0
        self._flops = 0.0

    def note(self, view: View) -> tuple[str, ...]:
        """Take in what happened since the last call; returns the signals that have changed."""
        new, self._seen = max(view.update - self._seen, 0), view.update
        changed = []
        for name, detector in self._detectors.items():
            curve = view.returns if name == RETURNS else view.signals.get(name, ())
            alarms = [self._take(detector, value) for value in curve[len(curve) - new :]]
            changed += [name] * any(alarms)
        return tuple(changed)

    def flops(self) -> float:
        """FLOPs spent since it was last asked."""
        spent, self._flops = self._flops, 0.0
        return spent

    def state(self) -> Mapping[str, Any]:
        """JSON data: signal -> evidence that it is changing, in standard deviations."""
        return {name: each.evidence for name, each in self._detectors.items()}

    def _take(self, detector: Detector, value: float | None) -> bool:
        if value is not None:
            self._flops += len(detector.recent) + FLOPS_BESIDES
        return detector.take(value)


RISING = 1.6449
"""Of a standard normal number, 5 % are greater: so often a flat curve is taken for a rising one."""


def trend(values: Sequence[float]) -> float:
    """Mann-Kendall's statistic (Mann 1945; Kendall 1975): standard normal where nothing moves.

    ``S`` counts the pairs that rise less those that fall; its variance, for ``n`` values among
    which ``t`` are equal, again and again, is ``(n (n-1) (2n+5) - sum t (t-1) (2t+5)) / 18``; the
    statistic is ``(S -+ 1) / sd``, 0 where ``S`` is 0.
    """
    n = len(values)
    rises = sum(
        (later > earlier) - (later < earlier)
        for i, earlier in enumerate(values)
        for later in values[i + 1 :]
    )
    ties = [values.count(each) for each in set(values)]
    variance = sum(-t * (t - 1) * (2 * t + 5) for t in ties) + n * (n - 1) * (2 * n + 5)
    if not rises or variance <= 0:
        return 0.0
    return (rises - math.copysign(1, rises)) / math.sqrt(variance / 18)


def flat(values: Sequence[float]) -> bool:
    """Is there no sign, at the level of 5 %, that the curve rises? A falling one is flat, too."""
    return trend(values) <= RISING
