"""The rule that turns paired differences into supported, refuted or undetermined; no scenario here.

``d``: one oriented difference a seed, + in the direction of the claim; ``D``: the smallest effect
of interest; ``a``: the level of this claim, after Holm. Two one-sided nulls:

- ``above_zero``: the mean is 0 or less, on ``d``;
- ``below_smallest``: the mean is ``D`` or more, on ``D - d``;

p of each is the larger of Student's t test and the exact sign-flip test (Fisher 1935). Where all
differences are -1, 0 or 1 times a constant, as between two arms of 0s and 1s, ``below_smallest``
has a third: the exact test of ``sandbox.analysis.two_valued``. ``above_zero`` needs none: at a mean
of 0 the signs of such differences are fair coins, whatever the share of pairs that differ.

==========================================  ==================================================
supported                                   p(above_zero) <= a and mean(d) >= D
refuted, negligible                         p(below_smallest) <= a, the t interval in (-D, D)
refuted, reversed                           p(below_smallest) <= a, the t interval below 0
refuted, claimed size excluded              p(below_smallest) <= a, otherwise
undetermined                                anything else, and whatever has no spread
==========================================  ==================================================

The interval has confidence ``1 - 2 a``. "Not significant" is never a refutation.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from sandbox.analysis.statistics import EXACT_UP_TO, identical, sign_flip_p, t_interval
from sandbox.analysis.two_valued import (
    TABLES_TO,
    Counted,
    counts_of,
    exact_p,
    exact_table,
    ordinary_table,
    outcomes,
)
from sandbox.seeding import stream

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
LABELS = {
    "supported": ("supported", ""),
    "refuted negligible": ("refuted", "negligible"),
    "refuted reversed": ("refuted", "reversed"),
    "refuted claimed size excluded": ("refuted", "claimed size excluded"),
    "undetermined": ("undetermined", ""),
}
SIMULATIONS = 1000
MOST_SEEDS = 10_000


@dataclass(frozen=True)
class Tested:
    """All tests of one null; ``p`` is the largest, 1 where there is no spread to test with."""

    t: float
    flip: float
    exact: float | None = None  # of two-valued arms against the smallest effect only

    @property
    def named(self) -> dict[str, float]:
        """The tests that were made, by name."""
        made = {"t test": self.t, "sign-flip test": self.flip}
        return made if self.exact is None else {**made, "exact test of two-valued arms": self.exact}

    @property
    def p(self) -> float:
        """What the rule uses."""
        return max(self.named.values())


class Tests(NamedTuple):
    """The two nulls of a claim."""

    above_zero: Tested
    below_smallest: Tested


class Levels(NamedTuple):
    """Level at which each null is tested."""

    above_zero: float
    below_smallest: float


def both_tests(differences: Floats, smallest: float) -> Tests:
    """Test both nulls; needs two differences."""
    return Tests(_tested(-differences, 0.0), _tested(differences, smallest))


def _tested(differences: Floats, least: float) -> Tested:
    """Test that the mean is ``least`` or more."""
    if identical(differences):
        return Tested(1.0, 1.0)
    values, counts = least - differences, counts_of(differences)
    exact = exact_p(counts, least) if counts and least > 0 else None
    return Tested(float(_t_p(values[None])[0]), sign_flip_p(values, "greater"), exact)


def _t_p(samples: Floats) -> Floats:
    """One-sided p of every row's t test against a mean of 0 or less."""
    n = samples.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = samples.mean(axis=1) / (samples.std(axis=1, ddof=1) / n**0.5)
    found = stats.t.sf(t, n - 1)
    flat = np.ptp(samples, axis=1) <= 1e-12 * np.maximum(1.0, np.abs(samples).max(axis=1))
    return np.where(flat, 1.0, found)


def decide(differences: Floats, smallest: float, tests: Tests, levels: Levels) -> str:
    """Apply the rule of this module's table; one of the keys of ``LABELS``."""
    mean = float(differences.mean())
    if tests.above_zero.p <= levels.above_zero and mean >= smallest:
        return "supported"
    if tests.below_smallest.p > levels.below_smallest:
        return "undetermined"
    low, high = t_interval(differences, 1 - 2 * levels.below_smallest)
    if -smallest < low and high < smallest:
        return "refuted negligible"
    return "refuted reversed" if high < 0 else "refuted claimed size excluded"


def rates(samples: Floats, smallest: float, alpha: float) -> dict[str, float]:
    """Share of samples (rows) that the rule calls supported, refuted and undetermined."""
    supported, refuted = decided(samples, smallest, alpha)
    found = {"supported": float(supported.mean()), "refuted": float(refuted.mean())}
    return {**found, "undetermined": 1.0 - sum(found.values())}


def decided(samples: Floats, smallest: float, alpha: float) -> tuple[Flags, Flags]:
    """Which samples (rows) the rule calls supported, and which refuted."""
    supported = supports(samples, smallest, alpha)
    return supported, ~supported & _passes(samples, smallest, alpha)


def supports(samples: Floats, smallest: float, alpha: float) -> Flags:
    """Which samples (rows) the rule calls supported."""
    found: Flags = samples.mean(axis=1) >= smallest
    found[found] = _passes(-samples[found], 0.0, alpha)
    return found


def _passes(samples: Floats, least: float, alpha: float) -> Flags:
    """Do all tests reject a mean of ``least`` or more? Slow ones follow where the t test does."""
    passed = _t_p(least - samples) <= alpha
    for i in np.flatnonzero(passed):
        passed[i] = _others_p(samples[i], least) <= alpha
    return passed


def _others_p(differences: Floats, least: float) -> float:
    """The larger p of the other tests, where the t test's may be counted in."""
    counts = counts_of(differences)
    if counts is None or counts.n > EXACT_UP_TO:
        flip = sign_flip_p(least - differences, "greater")
    else:
        flip = float(ordinary_table(counts.n, least / counts.size)[counts.up, counts.down])
    return max(flip, exact_p(counts, least)) if counts and least > 0 else flip


def two_valued_rates(
    n: int, mean: float, share: float, smallest: float, alpha: float
) -> tuple[float, float]:
    """Chance of supported and of refuted for differences of -1, 0 and 1, over all outcomes.

    ``share``: of pairs that differ, ``|mean|`` to 1. To 100 pairs; above 40 without the flip test.
    """
    up, down = outcomes(n)
    chances = stats.multinomial.pmf(
        np.array([up, down, n - up - down]).T,
        n,
        [(share + mean) / 2, (share - mean) / 2, 1 - share],
    )
    large = (up - down) / n >= smallest
    supported = large & (ordinary_table(n, 0.0)[down, up] <= alpha)
    refuted = ordinary_table(n, smallest)[up, down] <= alpha
    if smallest < 1:
        refuted &= exact_table(n, smallest)[up, down] <= alpha
    return float(chances[supported].sum()), float(chances[refuted & ~supported].sum())


def seeds_to_decide(differences: Floats, smallest: float, alpha: float) -> int | None:
    """How many seeds decide in 4 of 5 runs, if mean and spread stay as they are: more than these.

    Differences that are not two-valued are taken to be normal, as are all above 100 seeds.
    """
    first, counts = differences.size + 1, counts_of(differences)
    found = None if counts is None else _two_valued_n(counts, smallest / counts.size, alpha)
    if found is not None:
        return found
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    least = first if counts is None else max(first, TABLES_TO + 1)
    return deciding_n(round(mean / spread, 3), round(smallest / spread, 3), alpha, least)


@lru_cache(maxsize=256)
def _two_valued_n(counts: Counted, smallest: float, alpha: float) -> int | None:
    """``None`` where it takes more seeds than are tabled."""
    mean, share = (counts.up - counts.down) / counts.n, (counts.up + counts.down) / counts.n

    def decided(n: int) -> bool:
        rates_ = two_valued_rates(n, mean, share, smallest, alpha)
        return sum(rates_) >= 0.8  # noqa: PLR2004  (4 of 5)

    low, high = counts.n, TABLES_TO
    if low >= high or not decided(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high


@lru_cache(maxsize=256)
def deciding_n(effect: float, smallest: float, alpha: float, first: int) -> int | None:
    """Smallest n >= ``first`` at which the rule decides in 4 of 5 simulated runs.

    ``effect`` and ``smallest`` in standard deviations of the differences, which are drawn normal.
    ``None`` where even 10,000 seeds would not do.
    """
    low, high = first - 1, first
    while _decided(effect, smallest, alpha, high) < 0.8:  # noqa: PLR2004  (4 of 5)
        low, high = high, 2 * high
        if low > MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = _decided(effect, smallest, alpha, middle) >= 0.8  # noqa: PLR2004
        low, high = (low, middle) if enough else (middle, high)
    return high if high <= MOST_SEEDS else None


def _decided(effect: float, smallest: float, alpha: float, n: int) -> float:
    """How often the rule decides; above ``EXACT`` seeds by the t test alone.

    Mean and spread of normal draws are independent and have known distributions, so that they are
    drawn instead of the draws.
    """
    rng = stream(0, "simulated verdicts", n)
    if n <= EXACT:
        samples = effect + rng.normal(size=(SIMULATIONS, n))
        return 1.0 - rates(samples, smallest, alpha)["undetermined"]
    mean = effect + rng.normal(size=SIMULATIONS) / n**0.5
    error = np.sqrt(rng.chisquare(n - 1, size=SIMULATIONS) / (n - 1) / n)
    critical = float(stats.t.ppf(1 - alpha, n - 1)) * error
    supported = (mean >= critical) & (mean >= smallest)
    return float((supported | (smallest - mean >= critical)).mean())


EXACT = 20
"""Beyond this n the two tests agree to well below the error of the simulation."""
