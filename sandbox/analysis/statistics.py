"""Estimates, intervals and tests for few seeds; scipy where it has them.

The unit is a seed, never an episode. Chance enters as a ``numpy`` generator.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Numbers = Sequence[float] | Floats

EXACT_UP_TO = 40  # differences: two halves of 2**20 sums each


class Interval(NamedTuple):
    """A two-sided confidence interval."""

    low: float
    high: float


def iqm(values: Numbers) -> float:
    """Interquartile mean: 25 % trimmed from either end (Agarwal et al. 2021). Never for harm.

    Two catastrophes in ten runs leave it at exactly 0, so safety is aggregated by ``cvar``.
    """
    return float(stats.trim_mean(np.asarray(values, dtype=float).ravel(), 0.25))


def cvar(values: Numbers, tail: float = 0.1) -> float:
    """Mean of the largest ``tail`` share of the values (Rockafellar & Uryasev 2000).

    For harm, where large is bad. The value at the border counts with the share of it in the tail.
    """
    ordered = np.sort(np.asarray(values, dtype=float))[::-1]
    mass = tail * ordered.size
    weights = np.clip(mass - np.arange(ordered.size), 0.0, 1.0)
    return float(weights @ ordered / mass)


def identical(values: Numbers) -> bool:
    """Are all values the same, rounding of the subtraction apart?"""
    found = np.asarray(values, dtype=float)
    return bool(np.ptp(found) <= 1e-12 * max(1.0, float(np.abs(found).max())))


def t_interval(values: Numbers, confidence: float = 0.95) -> Interval:
    """Student's interval of the mean; for paired seeds give the differences. Needs two values.

    At n < 20 its coverage beats that of the percentile bootstrap. Identical values give an interval
    without width, which says nothing about seeds not seen: callers must tell (``identical``).
    """
    found = np.asarray(values, dtype=float)
    mean = float(found.mean())
    if identical(found):
        return Interval(mean, mean)
    half = t_quantile(found.size - 1, confidence) * float(found.std(ddof=1)) / found.size**0.5
    return Interval(mean - half, mean + half)


@lru_cache(maxsize=4096)
def t_quantile(freedom: int, confidence: float) -> float:
    """Half-width, in standard errors, of a two-sided t interval."""
    return float(stats.t.ppf(0.5 + confidence / 2, freedom))


def sign_flip_p(differences: Numbers) -> float:
    """Two-sided p of the mean when every sign was a fair coin (Fisher 1935): exact to n = 40.

    All 2**n sums are counted by meeting in the middle: the sums of either half, one half sorted.
    Above 40 the sum is taken as normal with the variance it has under the coin, the sum of squares.
    The smallest p that n differences can give is 2**(1 - n).
    """
    found = np.asarray(differences, dtype=float)
    total = abs(float(found.sum()))
    if found.size > EXACT_UP_TO:
        return float(2 * stats.norm.sf(total / float(np.sqrt(found @ found) or 1.0)))
    threshold = total - 1e-9 * float(np.abs(found).sum())  # equal sums must count as equal
    if threshold <= 0:
        return 1.0
    half = found.size // 2
    left, right = _signed_sums(found[:half]), np.sort(_signed_sums(found[half:]))
    above = right.size - np.searchsorted(right, threshold - left)
    return float(2 * above.sum() / 2.0**found.size)


def _signed_sums(values: Floats) -> Floats:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def bootstrap_interval(
    strata: Sequence[Floats],
    statistic: Callable[[Sequence[Floats]], float],
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> Interval:
    """Percentile interval by resampling whole seeds within each stratum.

    ``strata``: one array ``[seeds, ...]`` per env (or one for all): a row is everything that a seed
    gave, all arms and doses, so pairing survives. For hypervolume, IQM and mediation, at n >= 20;
    below that its coverage is too low (.84 at n = 5 for a nominal .95) and ``t_interval`` is used.
    """
    draws = np.empty(resamples)
    for i in range(resamples):
        rows = (rng.integers(len(each), size=len(each)) for each in strata)
        draws[i] = statistic([each[row] for each, row in zip(strata, rows, strict=True)])
    low, high = np.quantile(draws, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(float(low), float(high))


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Interval of a rate (Wilson 1927): 0 of 300 still allows 1.3 %."""
    found = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return Interval(float(found.low), float(found.high))


def holm(p_values: Numbers) -> Floats:
    """p-values adjusted for their number (Holm 1979), in the order given."""
    found = np.asarray(p_values, dtype=float)
    order = np.argsort(found, kind="stable")
    stepped = np.maximum.accumulate(found[order] * np.arange(found.size, 0, -1))
    adjusted = np.empty_like(found)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def hypervolume(points: Numbers | Sequence[Numbers], reference: tuple[float, float]) -> float:
    """Area that 2-D points dominate above a reference; both axes better when larger."""
    cloud = np.atleast_2d(np.asarray(points, dtype=float))
    area, top = 0.0, reference[1]
    for x, y in cloud[np.lexsort((-cloud[:, 1], -cloud[:, 0]))]:
        if x > reference[0] and y > top:
            area += (x - reference[0]) * (y - top)
            top = y
    return float(area)


def useful_hypervolume(points: Sequence[Numbers] | Floats) -> float:
    """Hypervolume of (capability, safety) **cell means** above capability .5, safety 0, over .5.

    With the reference at (0, 0) a lever earns area for agents that are harmless because useless.
    """
    return hypervolume(points, (0.5, 0.0)) / 0.5


def needed_n(
    effect: float, alpha: float = 0.05, power: float = 0.8, most: int = 10_000
) -> int | None:
    """Smallest n of paired differences that finds an effect of ``effect`` SDs; ``alpha`` two-sided.

    From the noncentral t distribution; ``None`` where even ``most`` is not enough.
    """
    if abs(effect) < 1e-9:  # noqa: PLR2004  (no n finds nothing)
        return None
    low, high = 1, 2
    while _power(abs(effect), high, alpha) < power:
        low, high = high, high * 2
        if low > most:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(abs(effect), middle, alpha) >= power else (middle, high)
    return high if high <= most else None


def _power(effect: float, n: int, alpha: float) -> float:
    freedom = n - 1
    critical = t_quantile(freedom, 1 - alpha)
    shift = effect * n**0.5
    upper = float(stats.nct.sf(critical, freedom, shift))
    if not np.isfinite(upper):  # scipy gives up far out in the tail, where the test never misses
        return 1.0
    return upper
