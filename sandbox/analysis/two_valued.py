"""Exact test of paired differences between two arms of two values: -1, 0 or 1 times a constant.

n such differences are three counts, and their chances have two parameters: the mean and the share
of pairs that differ. All outcomes can be counted, and the worst share looked for (Suissa and
Shuster 1991; Hsueh, Liu and Chen 2001). Nothing is drawn or approximated by a normal curve.

The null is always ``mean >= null`` in units of the constant; few rises and many falls oppose it.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from sandbox.analysis.statistics import EXACT_UP_TO

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
TABLES_TO = 100
"""Pairs up to which every outcome is worked out at once; beyond, the one that was seen."""
CELLS, MOST_CELLS = 50, 2000  # of the share of pairs that differ: so many a pair, and at most
TOLERANCE = 1e-9
BATCH = 4_000_000  # chances at once


class Counted(NamedTuple):
    """Differences of two-valued arms."""

    size: float  # of those that are not 0
    up: int
    down: int
    n: int


def counts_of(differences: Floats) -> Counted | None:
    """Count rises and falls, or ``None`` where the differences are of several sizes, or all 0.

    Recognised by the differences alone, so that other arms may pass for two-valued ones by chance.
    That can only make a p larger.
    """
    sizes = np.abs(differences)
    size = float(sizes.max(initial=0.0))
    moved = sizes > TOLERANCE * size
    if size == 0 or not np.all(sizes[moved] >= (1 - TOLERANCE) * size):
        return None
    up, down = (int(np.count_nonzero(moved & (s * differences > 0))) for s in (1, -1))
    return Counted(size, up, down, differences.size)


def exact_p(found: Counted, least: float) -> float:
    """P of so strong a contradiction of ``mean >= least`` at the worst share; 0 if it cannot hold.

    Outcomes are ordered by the score statistic, the distance of the mean from the null in standard
    errors of the likeliest distribution under the null (Tango 1998): by t, one fall and no rise
    among many pairs would rank first. What opposes the null more than a strong outcome does counts
    as at least as strong, so that no mean beyond ``least`` makes it likelier than ``least`` does.
    """
    null = least / found.size
    if null >= 1:
        return 0.0
    if found.n <= TABLES_TO:
        return float(exact_table(found.n, null)[found.up, found.down])
    (up, down), n = outcomes(found.n), found.n
    strength = _strength(up, down, n, null)
    within = strength >= strength[(up == found.up) & (down == found.down)]
    parts = _chances(up[within], down[within], n, null)
    return min(1.0, max(float(each.sum(axis=1).max()) for each in parts))


@lru_cache(maxsize=256)
def exact_table(n: int, null: float) -> Floats:
    """``exact_p`` by numbers of rises and of falls, for a null below 1; NaN where impossible."""
    up, down = outcomes(n)
    strength = _strength(up, down, n, null)
    order = np.argsort(-strength, kind="stable")
    worst = np.zeros(order.size)
    for chances in _chances(up[order], down[order], n, null):
        worst = np.maximum(worst, np.cumsum(chances, axis=1).max(axis=0))
    last = np.searchsorted(-strength[order], -strength, side="right") - 1  # ties count together
    return _square(up, down, n, np.minimum(worst[last], 1.0))


@lru_cache(maxsize=256)
def ordinary_table(n: int, null: float) -> Floats:
    """The larger p of t test and sign-flip test of every outcome; above 40 pairs of the t test."""
    up, down = outcomes(n)
    p = _t_p(up, down, n, null)
    return _square(up, down, n, p if n > EXACT_UP_TO else np.maximum(p, _flip_p(up, down, n, null)))


def outcomes(n: int) -> tuple[Counts, Counts]:
    """Rises and falls of everything that ``n`` pairs can show."""
    up, down = np.indices((n + 1, n + 1))
    possible = up + down <= n
    return up[possible], down[possible]


def _square(up: Counts, down: Counts, n: int, values: Floats) -> Floats:
    square = np.full((n + 1, n + 1), np.nan)
    square[up, down] = values
    return square


def _strength(up: Counts, down: Counts, n: int, null: float) -> Floats:
    """The most that any outcome with as many rises or more, and as many falls or fewer, has."""
    square = _square(up, down, n, _score(up, down, n, null))
    from_above = np.fmax.accumulate(square[::-1], axis=0)[::-1]
    most = np.fmax.accumulate(from_above, axis=1)[up, down]
    return np.asarray(np.round(most, 9), dtype=float)  # equal ones must count as equal


def _score(up: Counts, down: Counts, n: int, null: float) -> Floats:
    """How many standard errors the mean lies below the null.

    The likeliest share of pairs that differ, at a mean of ``null``, is the larger root of
    ``n q^2 - b q - c``, or ``null`` where it is below.
    """
    b = up + down + null * (up - down)
    c = (n - up - down) * null**2 - null * (up - down)
    share = (b + np.sqrt(np.maximum(b**2 + 4 * n * c, 0.0))) / (2 * n)
    variance = np.clip(share, null, 1.0) - null**2
    below = null - (up - down) / n
    return np.asarray(below / np.sqrt(np.maximum(variance, 1e-300) / n))


def _t_p(up: Counts, down: Counts, n: int, null: float) -> Floats:
    """One-sided t test of ``null - difference``; 1 where all differences are identical."""
    mean = (up - down) / n
    variance = (up + down - n * mean**2) / (n - 1)
    flat = (up == n) | (down == n) | (up + down == 0)
    t = (null - mean) / np.sqrt(np.where(flat, 1.0, variance) / n)
    return np.where(flat, 1.0, stats.t.sf(t, n - 1))


def _flip_p(up: Counts, down: Counts, n: int, null: float) -> Floats:
    """Sign-flip test of ``null - difference``: flips of equal values are binomial counts."""
    values = np.array([null - 1.0, null + 1.0, null])
    found = np.empty(up.size)
    for i, (rises, falls) in enumerate(zip(up.tolist(), down.tolist(), strict=True)):
        many = (rises, falls, n - rises - falls)
        sums, chances = np.zeros(1), np.ones(1)
        for count, value in zip(many, values, strict=True):
            sums = np.add.outer(sums, (2 * np.arange(count + 1) - count) * value).ravel()
            chances = np.multiply.outer(chances, _coins(count)).ravel()
        seen, slack = values @ many, TOLERANCE * (np.abs(values) @ many)
        found[i] = chances[sums >= seen - slack].sum()
    return found


@lru_cache(maxsize=EXACT_UP_TO + 1)
def _coins(count: int) -> Floats:
    return np.asarray(special.comb(count, np.arange(count + 1)) / 2.0**count, dtype=float)


def _chances(up: Counts, down: Counts, n: int, null: float) -> Iterator[Floats]:
    """Bounds on the chance of every outcome, a row a cell of the share of pairs that differ.

    Within a cell no chance is larger than with the shares of rises and of falls at its upper end
    and that of no change at its lower end. The sum of a row exceeds the largest true one within the
    cell by a factor of at most (1 + width)^n: 1.02 to 40 pairs, 1.05 at 100, 1.28 at 500.
    """
    edges = np.linspace(null, 1.0, min(CELLS * n, MOST_CELLS) + 1)
    low, high = edges[:-1], edges[1:]
    logs = np.log([(high + null) / 2, (high - null) / 2, 1 - low]).T
    counts = np.array([up, down, n - up - down])
    ways = special.gammaln(n + 1) - special.gammaln(counts + 1).sum(axis=0)
    rows = max(1, BATCH // up.size)
    for start in range(0, low.size, rows):
        yield np.exp(logs[start : start + rows] @ counts + ways)
