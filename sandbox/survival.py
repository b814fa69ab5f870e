"""Survival with censoring: Kaplan-Meier curves with Greenwood intervals, and the log-rank test.

Kaplan & Meier 1958; Greenwood 1926; Mantel 1966, Peto & Peto 1972. Pure functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from sandbox.statistics import Floats, Interval


class Subjects(NamedTuple):
    """One group: how long each was followed, and whether it ended by the event or by censoring."""

    durations: Sequence[float]
    events: Sequence[bool]


@dataclass(frozen=True)
class SurvivalCurve:
    """A step function: 1 before ``times[0]``, ``survival[i]`` from ``times[i]`` on.

    ``times`` are the distinct times of events, in order. The interval at each time is that of the
    log-minus-log transform of Greenwood's variance, which stays in [0, 1] (Kalbfleisch & Prentice).
    At survivals of exactly 1 and 0 that has no width: there the exact binomial bound of the ``n``
    at risk stands (Clopper & Pearson 1934), as if none of them had been censored.
    """

    n: int
    times: tuple[float, ...]
    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    survival: tuple[float, ...]
    error: tuple[float, ...]  # Greenwood's standard error
    interval: tuple[Interval, ...]
    end: float  # longest time anybody was followed; beyond it nothing is known
    untouched: Interval  # where nobody has had the event yet

    def at(self, time: float) -> tuple[float, Interval]:
        """Survival and its interval at a time up to ``end``."""
        i = int(np.searchsorted(self.times, time, side="right")) - 1
        return (1.0, self.untouched) if i < 0 else (self.survival[i], self.interval[i])

    @property
    def median(self) -> float | None:
        """First time at which survival is at most one half; ``None`` where it never is."""
        found = [t for t, s in zip(self.times, self.survival, strict=True) if s <= 0.5 + 1e-12]
        return found[0] if found else None


def kaplan_meier(group: Subjects, confidence: float = 0.95) -> SurvivalCurve:
    """Estimate the curve. Who is censored at the time of an event was at risk of it.

    Raises ``ValueError`` for nobody, unequal lengths, or durations that are no finite times from 0.
    """
    durations, happened = _checked(group)
    times = np.unique(durations[happened])
    at_risk = np.array([(durations >= t).sum() for t in times], int)
    events = np.array([(durations[happened] == t).sum() for t in times], int)
    survival = np.cumprod(1 - events / at_risk) if len(times) else np.ones(0)
    with np.errstate(divide="ignore"):
        spread = np.cumsum(events / (at_risk * (at_risk - events)))
    n = len(durations)
    error = [s * v**0.5 if s > 0 else 0.0 for s, v in zip(survival, spread, strict=True)]
    between = [_interval(s, v, n, confidence) for s, v in zip(survival, spread, strict=True)]
    return SurvivalCurve(
        n=n,
        times=tuple(map(float, times)),
        at_risk=tuple(map(int, at_risk)),
        events=tuple(map(int, events)),
        survival=tuple(map(float, survival)),
        error=tuple(map(float, error)),
        interval=tuple(between),
        end=float(durations.max()),
        untouched=_interval(1.0, 0.0, n, confidence),
    )


def _interval(survival: float, spread: float, n: int, confidence: float) -> Interval:
    tail = (1 - confidence) / 2
    if survival >= 1:
        return Interval(tail ** (1 / n), 1.0)
    if survival <= 0:
        return Interval(0.0, 1 - tail ** (1 / n))
    width = float(stats.norm.isf(tail)) * spread**0.5 / abs(np.log(survival))
    return Interval(float(survival ** np.exp(width)), float(survival ** np.exp(-width)))


class LogRank(NamedTuple):
    """Test that all groups have one survival curve."""

    statistic: float  # chi-squared
    freedom: int  # groups less one
    p: float
    observed: tuple[float, ...]  # events in each group
    expected: tuple[float, ...]  # if the curves were one


def log_rank(groups: Sequence[Subjects]) -> LogRank:
    """Compare two or more groups; p is 1 where no event tells anything.

    Raises ``ValueError`` as ``kaplan_meier`` does, and for fewer than two groups.
    """
    if len(groups) < 2:  # noqa: PLR2004
        raise ValueError("a comparison needs at least two groups")
    read = [_checked(each) for each in groups]
    times = np.unique(np.concatenate([d[e] for d, e in read]))
    at_risk = np.array([[(d >= t).sum() for d, _ in read] for t in times], float)
    events = np.array([[(d[e] == t).sum() for d, e in read] for t in times], float)
    at_risk, events = at_risk.reshape(-1, len(read)), events.reshape(-1, len(read))
    share = at_risk / at_risk.sum(axis=1, keepdims=True)
    total = events.sum(axis=1, keepdims=True)
    observed, expected = events.sum(axis=0), (share * total).sum(axis=0)
    difference = (observed - expected)[:-1]
    statistic = float(difference @ np.linalg.pinv(_variance(at_risk, total, share)) @ difference)
    freedom = len(groups) - 1
    p = float(stats.chi2.sf(statistic, freedom))
    return LogRank(statistic, freedom, p, tuple(observed.tolist()), tuple(expected.tolist()))


def _variance(at_risk: Floats, total: Floats, share: Floats) -> Floats:
    """Hypergeometric covariance of the observed numbers, the last group left out."""
    n = at_risk.sum(axis=1)
    factor = total[:, 0] * (n - total[:, 0]) / np.maximum(n - 1, 1)
    share = share[:, :-1]
    pairs = share[:, :, None] * share[:, None, :]
    own = np.zeros_like(pairs)
    for i in range(share.shape[1]):
        own[:, i, i] = share[:, i]
    covariance: Floats = (factor[:, None, None] * (own - pairs)).sum(axis=0)
    return covariance


def _checked(group: Subjects) -> tuple[Floats, "np.typing.NDArray[np.bool_]"]:
    durations, events = np.asarray(group.durations, float), np.asarray(group.events, bool)
    if durations.ndim != 1 or durations.shape != events.shape:
        raise ValueError("one duration and one event for each subject")
    if not len(durations):
        raise ValueError("nobody was followed")
    if not np.isfinite(durations).all() or (durations < 0).any():
        raise ValueError("durations are finite times from 0")
    return durations, events
