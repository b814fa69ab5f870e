"""Estimates, intervals and tests for few seeds; scipy where it provides them.

The unit is a seed, never an episode. Chance enters as a ``numpy`` generator.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from sandbox.seeding import stream

Floats = npt.NDArray[np.float64]
Numbers = Sequence[float] | Floats

Alternative = Literal["two-sided", "greater"]
EXACT_UP_TO = 40  # differences: two halves of 2**20 sums each
DRAWS = 99_999
BATCH, FEW = 10_000, 1000


class Interval(NamedTuple):
    """A two-sided confidence interval."""

    low: float
    high: float


def identical(values: Numbers) -> bool:
    """Are all values the same, rounding of the subtraction apart?"""
    found = np.asarray(values, dtype=float)
    return bool(np.ptp(found) <= 1e-12 * max(1.0, float(np.abs(found).max())))


def t_interval(values: Numbers, confidence: float = 0.95) -> Interval:
    """Student's interval of the mean; for paired seeds give the differences. Needs two values.

    At n < 20 its coverage beats that of the percentile bootstrap. Identical values give an interval
    without width, which says nothing about seeds not seen: callers must say so (``identical``).
    """
    found = np.asarray(values, dtype=float)
    mean = float(found.mean())
    if identical(found):
        return Interval(mean, mean)
    half = t_quantile(found.size - 1, confidence) * float(found.std(ddof=1)) / found.size**0.5
    return Interval(mean - half, mean + half)


def wilson(hits: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval (1927) of a share, without correction; needs ``n`` above 0."""
    found = stats.binomtest(hits, n).proportion_ci(confidence, method="wilson")
    return Interval(float(found.low), float(found.high))


def level_interval(values: Numbers, low: float, high: float, confidence: float = 0.95) -> Interval:
    """``t_interval`` of a mean that can only lie between two values, ended where it cannot lie."""
    found = t_interval(values, confidence)
    return Interval(max(found.low, low), min(found.high, high))


@lru_cache(maxsize=4096)
def t_quantile(freedom: int, confidence: float) -> float:
    """Half-width, in standard errors, of a two-sided t interval."""
    return float(stats.t.ppf(0.5 + confidence / 2, freedom))


def sign_flip_p(differences: Numbers, alternative: Alternative = "two-sided") -> float:
    """P of the mean when every sign was a fair coin (Fisher 1935): exact to n = 40.

    All 2**n sums are counted by meeting in the middle: the sums of either half, one half sorted.
    Above 40, 99,999 draws of a stream of this test's own: p = (b + 1) / (B + 1), with b the draws
    that are as extreme (Phipson and Smyth 2010). The smallest p that n differences can give is
    2**-n on one side, 2**(1 - n) on two.
    """
    found = np.asarray(differences, dtype=float)
    total = float(found.sum())
    two = alternative == "two-sided"
    threshold = (abs(total) if two else total) - 1e-9 * float(np.abs(found).sum())
    if two and threshold <= 0:  # equal sums must count as equal
        return 1.0
    if found.size > EXACT_UP_TO:
        extreme = int(np.count_nonzero(_drawn_sums(found, two=two) >= threshold))
        return (extreme + 1) / (DRAWS + 1)
    half = found.size // 2
    left, right = _signed_sums(found[:half]), np.sort(_signed_sums(found[half:]))
    above = right.size - np.searchsorted(right, threshold - left)
    return float((2 if two else 1) * above.sum() / 2.0**found.size)


def _drawn_sums(values: Floats, *, two: bool) -> Floats:
    """Sums with random signs; on two sides their sizes."""
    rng = stream(0, "sign flips", values.size)
    sums = np.empty(DRAWS)
    batch = BATCH if values.size <= FEW else BATCH // 100  # a matrix of 8 bytes a sign
    for start in range(0, DRAWS, batch):
        rows = min(batch, DRAWS - start)
        signs = rng.integers(0, 2, size=(rows, values.size), dtype=np.int8)
        sums[start : start + rows] = (2.0 * signs - 1.0) @ values
    return np.abs(sums) if two else sums


def _signed_sums(values: Floats) -> Floats:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def holm(p_values: Numbers) -> Floats:
    """p-values adjusted for their number (Holm 1979), in the order given."""
    found = np.asarray(p_values, dtype=float)
    order = np.argsort(found, kind="stable")
    stepped = np.maximum.accumulate(found[order] * np.arange(found.size, 0, -1))
    adjusted = np.empty_like(found)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
