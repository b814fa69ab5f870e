"""Survival with censoring: Kaplan-Meier curves with Greenwood intervals, and the log-rank test.

Kaplan & Meier 1958; Greenwood 1926; Mantel 1966, Peto & Peto 1972. Pure functions over SciPy's,
which has no interval where a curve is at 1 or 0, and no test of more than two groups.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from sandbox.analysis.statistics import Floats, Interval

TAIL = 0.025
"""What a 95 % interval leaves out on each side."""


class Subjects(NamedTuple):
    """One group: how long each was followed, and whether it ended by the event or by censoring."""

    durations: Sequence[float]
    events: Sequence[bool]


@dataclass(frozen=True)
class SurvivalCurve:
    """A step function: 1 before ``times[0]``, ``survival[i]`` from ``times[i]`` on.

    ``times`` are the distinct times of events, in order. The 95 % interval at each time is that of
    the log-minus-log transform of Greenwood's variance, which stays in [0, 1] (Kalbfleisch &
    Prentice). At survivals of exactly 1 and 0 that has no width: there the exact binomial bound of
    all ``n`` stands (Clopper & Pearson 1934), as if none of them had been censored.
    """

    n: int
    times: tuple[float, ...]
    survival: tuple[float, ...]
    interval: tuple[Interval, ...]
    end: float  # longest time any subject was followed; beyond it nothing is known

    @property
    def untouched(self) -> Interval:
        """The interval before the first event."""
        return Interval(TAIL ** (1 / self.n), 1.0)

    def at(self, time: float) -> tuple[float, Interval]:
        """Survival and its interval at a time up to ``end``."""
        i = int(np.searchsorted(self.times, time, side="right")) - 1
        return (1.0, self.untouched) if i < 0 else (self.survival[i], self.interval[i])

    @property
    def median(self) -> float | None:
        """First time at which survival is at most one half; ``None`` where it never is."""
        found = [t for t, s in zip(self.times, self.survival, strict=True) if s <= 0.5 + 1e-12]
        return found[0] if found else None


def kaplan_meier(group: Subjects) -> SurvivalCurve:
    """Estimate the curve. A subject censored at the time of an event was at risk of it.

    Raises ``ValueError`` for no subjects, unequal lengths, or durations that are not finite or < 0.
    """
    durations, happened = _checked(group)
    curve = stats.ecdf(stats.CensoredData.right_censored(durations, ~happened)).sf
    fell = np.isin(curve.quantiles, durations[happened])
    return SurvivalCurve(
        n=len(durations),
        times=tuple(curve.quantiles[fell].tolist()),
        survival=tuple(curve.probabilities[fell].tolist()),
        interval=tuple(Interval(*each) for each in _bounds(curve, len(durations))[fell].tolist()),
        end=float(durations.max()),
    )


def _bounds(curve: Any, n: int) -> Floats:
    """Low and high at each of SciPy's times; at 0 the exact bound, since SciPy has none there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it warns of 0, and of 1 before any event
        found = curve.confidence_interval(1 - 2 * TAIL, method="log-log")
    bounds = np.stack([found.low.probabilities, found.high.probabilities], axis=1)
    return np.where(curve.probabilities[:, None] > 0, bounds, (0.0, 1 - TAIL ** (1 / n)))


class LogRank(NamedTuple):
    """Test that all groups have one survival curve."""

    statistic: float  # chi-squared
    freedom: int  # groups less one
    p: float


def log_rank(groups: Sequence[Subjects]) -> LogRank:
    """Compare two or more groups; p is 1 where no event is informative.

    If the curves are equal, events fall on those at risk at random: hypergeometric draws.
    Raises ``ValueError`` as ``kaplan_meier`` does, and for fewer than two groups.
    """
    if len(groups) < 2:  # noqa: PLR2004
        raise ValueError("a comparison needs at least two groups")
    read = [_checked(each) for each in groups]
    times = np.unique(np.concatenate([d[e] for d, e in read]))
    at_risk = np.stack([(d[:, None] >= times).sum(axis=0) for d, _ in read], axis=1)
    events = np.stack([(d[e][:, None] == times).sum(axis=0) for d, e in read], axis=1)
    informative = at_risk.sum(axis=1) > 1  # with one subject left there is no choice
    freedom = len(groups) - 1
    if not informative.any():
        return LogRank(0.0, freedom, 1.0)
    events = events[informative]
    draws = stats.multivariate_hypergeom(at_risk[informative], events.sum(axis=1))
    difference = np.asarray(events - draws.mean()).sum(axis=0)[:-1]  # all sum to 0
    covariance = np.asarray(draws.cov()).sum(axis=0)[:-1, :-1]
    statistic = float(difference @ np.linalg.pinv(covariance) @ difference)
    return LogRank(statistic, freedom, float(stats.chi2.sf(statistic, freedom)))


def _checked(group: Subjects) -> tuple[Floats, "np.typing.NDArray[np.bool_]"]:
    durations, events = np.asarray(group.durations, float), np.asarray(group.events, bool)
    if durations.ndim != 1 or durations.shape != events.shape:
        raise ValueError("one duration and one event for each subject")
    if not len(durations):
        raise ValueError("there are no subjects")
    if not np.isfinite(durations).all() or (durations < 0).any():
        raise ValueError("durations are finite times from 0")
    return durations, events
