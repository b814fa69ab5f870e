"""A metric at each dose of a lever that takes numbers, and whether it has a trend.

The unit is a seed. Where a seed holds several trials of a dose (other levers in a full design,
several envs) they are averaged first, the same ones at every dose: those that ``pairs_of`` pairs.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from sandbox.analysis.effects import (
    CONFIDENCE,
    by_interest,
    measure,
    metric,
    pairs_of,
    scopes,
)
from sandbox.analysis.statistics import Floats, identical, level_interval
from sandbox.record.store import RunRecord, TrialRecord
from sandbox.words import Dose

FEWEST_DOSES = 3
"""With two, the effect says it all."""
FEWEST_SEEDS = 2
EXACT_DOSES, EXACT_SEEDS = 6, 40
"""Up to here p is exact, in a fraction of a second; beyond, SciPy decides."""


@dataclass(frozen=True)
class DosePoint:
    """A metric at one dose, over the seeds measured at that dose."""

    dose: float
    mean: float | None
    low: float | None  # two-sided t interval of the mean; None below two seeds
    high: float | None
    values: Mapping[int, float]  # seed -> its mean over other levers and envs

    @property
    def n(self) -> int:
        """Seeds measured at this dose, whether or not they were at every other."""
        return len(self.values)


@dataclass(frozen=True)
class Trend:
    """Page's test: does the metric go one way with the doses as they are written?

    Seeds are the blocks. Two-sided: twice the smaller p of both directions. Where values tie they
    share their rank; an exact p below 0.3 is then too large rather than too small.
    """

    n: int  # seeds measured at every dose: only they count
    p: float | None
    towards: str  # "higher" or "lower" along the doses; "" where neither
    exact: bool  # else from the normal limit
    reason: str = ""  # why there is no p


@dataclass(frozen=True)
class DoseResponse:
    """One metric at all doses of one lever."""

    lever: str
    metric: str
    env: str  # "all" for the mean over the scenario's envs
    unit: str
    confidence: float  # of the interval at each dose
    points: tuple[DosePoint, ...]  # as the scenario writes the doses
    trend: Trend


def dose_responses(run: RunRecord) -> list[DoseResponse]:
    """Each lever with at least three doses that are numbers, in each env, on each metric."""
    return [
        each
        for lever, doses in run.scenario["levers"].items()
        if len(doses) >= FEWEST_DOSES and not any(isinstance(dose, str) for dose in doses)
        for env in scopes(run)
        for each in _responses(run, lever, env)
    ]


def _responses(run: RunRecord, lever: str, env: str) -> Iterator[DoseResponse]:
    trials = _trials(run, lever, env)
    for name in by_interest(run):
        points = tuple(_point(name, dose, _values(trials[dose], name)) for dose in trials)
        trend = trend_of([each.values for each in points])
        yield DoseResponse(lever, name, env, metric(name).unit, CONFIDENCE, points, trend)


def _trials(run: RunRecord, lever: str, env: str) -> dict[float, dict[int, list[TrialRecord]]]:
    """Dose -> seed -> its trials; a first dose stands in the pairs of every other one."""
    base, *others = (float(dose) for dose in run.scenario["levers"][lever])
    found: dict[float, dict[int, list[TrialRecord]]] = {base: {}}
    for dose in others:
        pairs = pairs_of(run, lever, env, dose)
        found[dose] = {seed: [treated for _, treated in each] for seed, each in pairs.items()}
        for seed, each in pairs.items():
            if each:
                found[base].setdefault(seed, [first for first, _ in each])
    return found


def _values(trials: Mapping[int, Sequence[TrialRecord]], name: str) -> dict[int, float]:
    """Seed -> mean, of seeds in which every trial measured the metric."""
    found = {}
    for seed, each in sorted(trials.items()):
        values = [measure(trial, name).value for trial in each]
        measured = [value for value in values if value is not None]
        if len(measured) == len(values) > 0:
            found[seed] = math.fsum(measured) / len(measured)
    return found


def _point(name: str, dose: Dose, values: Mapping[int, float]) -> DosePoint:
    found = list(values.values())
    mean = math.fsum(found) / len(found) if found else None
    several, ends = len(found) > 1, metric(name).range
    low, high = level_interval(found, *ends, CONFIDENCE) if several else (None, None)
    return DosePoint(float(dose), mean, low, high, values)


def trend_of(by_dose: Sequence[Mapping[int, float]]) -> Trend:
    """Test one seed -> value per dose, in written order, for a trend."""
    seeds = sorted(set.intersection(*(set(each) for each in by_dose)))
    table = np.array([[each[seed] for each in by_dose] for seed in seeds])
    if len(seeds) < FEWEST_SEEDS:
        return Trend(len(seeds), None, "", False, f"needs {FEWEST_SEEDS} seeds with every dose")
    if all(identical(row) for row in table):
        return Trend(len(seeds), None, "", False, "every seed is alike at all doses")
    exact = len(by_dose) <= EXACT_DOSES and len(seeds) <= EXACT_SEEDS
    rising, falling = _page(table, exact=exact), _page(table[:, ::-1], exact=exact)
    towards = "higher" if rising.p < falling.p else "lower" if falling.p < rising.p else ""
    p = min(1.0, 2 * min(rising.p, falling.p))
    return Trend(len(seeds), p, towards, rising.exact)


class _Side(NamedTuple):
    p: float
    exact: bool


def _page(table: Floats, *, exact: bool) -> _Side:
    """One side of Page's test: columns rise from the first to the last."""
    found = stats.page_trend_test(table, method="exact" if exact else "auto")
    return _Side(float(found.pvalue), found.method == "exact")
