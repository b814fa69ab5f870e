"""Named arms against the first, env by env, with intervals that hold simultaneously."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.analysis.effects import Effect, claims_of, effect, env_name, metric
from sandbox.analysis.statistics import identical, t_interval
from sandbox.record.store import RunRecord
from sandbox.words import Dose

TOGETHER = 0.95
"""Confidence that all intervals of a comparison hold at once (Bonferroni)."""
LEAST_SEEDS = 3
"""With two, a t interval is too wide to be of use."""


@dataclass(frozen=True)
class Standing:
    """One arm in one env, compared with the first arm there, paired by seed."""

    effect: Effect
    low: float | None  # of the difference, at the comparison's confidence; None below 2 seeds
    high: float | None
    outcome: str  # better, worse, "not shown", or "" with fewer than LEAST_SEEDS seeds


@dataclass(frozen=True)
class ArmComparison:
    """All arms in all envs on one metric."""

    lever: str
    metric: str
    base: Dose
    comparisons: int
    confidence: float  # of each interval
    standings: tuple[Standing, ...]  # by env as the scenario lists them, then by arm

    @property
    def summary(self) -> dict[str, dict[str, int]]:
        """Arm -> outcome -> in how many envs."""
        found: dict[str, dict[str, int]] = {}
        for each in self.standings:
            counts = found.setdefault(str(each.effect.dose), {})
            counts[each.outcome] = counts.get(each.outcome, 0) + 1
        return found


def contests(run: RunRecord) -> list[ArmComparison]:
    """One comparison for every lever that chooses by name, on the scenario's headline metric.

    That is the metric of its first claim, else the first that it lists.
    """
    named = [*(each["metric"] for each in claims_of(run)), *run.scenario["metrics"]]
    levers = run.scenario["levers"].items()
    return [
        contest(run, lever, named[0])
        for lever, doses in levers
        if len(doses) > 1 and any(isinstance(each, str) for each in doses)
    ]


def contest(run: RunRecord, lever: str, name: str) -> ArmComparison:
    """Compare every arm with the first in every env, one interval for each."""
    doses = run.scenario["levers"][lever]
    envs = dict.fromkeys(env_name(run, trial) for trial in run.trials)
    seen = [effect(run, lever, name, env, dose) for env in envs for dose in doses[1:]]
    confidence = 1 - (1 - TOGETHER) / max(len(seen), 1)
    standings = tuple(_standing(each, confidence) for each in seen)
    return ArmComparison(lever, name, doses[0], len(seen), confidence, standings)


def _standing(seen: Effect, confidence: float) -> Standing:
    found = list(seen.differences.values())
    if len(found) < LEAST_SEEDS:
        return Standing(seen, None, None, "")
    low, high = t_interval(found, confidence)
    return Standing(seen, low, high, _outcome(seen, found, low, high))


def _outcome(seen: Effect, found: Sequence[float], low: float, high: float) -> str:
    """``not shown`` unless the interval excludes 0; identical differences have no interval."""
    if low <= 0 <= high or identical(found):
        return "not shown"
    direction = metric(seen.metric).direction
    if direction == "neutral":
        return "higher" if low > 0 else "lower"
    return "better" if (low > 0) == (direction == "higher") else "worse"
