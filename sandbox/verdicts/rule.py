"""The rule that turns paired differences into supported, refuted or undetermined; no scenario here.

``d``: one oriented difference a seed, + in the direction of the claim; ``D``: the smallest effect
of interest; ``a``: the level of this claim, after Holm. Two one-sided nulls, each tested twice:

- ``above_zero``: the mean is 0 or less, on ``d``;
- ``below_smallest``: the mean is ``D`` or more, on ``D - d``;

p of each is the larger of Student's t test and the exact sign-flip test (Fisher 1935).

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

from sandbox.analysis.statistics import identical, sign_flip_p, t_interval
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
    """Both tests of one null; ``p`` is the larger, 1 where there is no spread to test with."""

    t: float
    flip: float

    @property
    def p(self) -> float:
        """What the rule uses."""
        return max(self.t, self.flip)


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
    return Tests(_tested(differences), _tested(smallest - differences))


def _tested(values: Floats) -> Tested:
    if identical(values):
        return Tested(1.0, 1.0)
    return Tested(float(_t_p(values[None])[0]), sign_flip_p(values, "greater"))


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
    return supported, ~supported & _passes(smallest - samples, alpha)


def supports(samples: Floats, smallest: float, alpha: float) -> Flags:
    """Which samples (rows) the rule calls supported."""
    found: Flags = samples.mean(axis=1) >= smallest
    found[found] = _passes(samples[found], alpha)
    return found


def _passes(samples: Floats, alpha: float) -> Flags:
    """Do both tests reject? The slower one is asked only where the other does."""
    passed = _t_p(samples) <= alpha
    for i in np.flatnonzero(passed):
        passed[i] = sign_flip_p(samples[i], "greater") <= alpha
    return passed


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
