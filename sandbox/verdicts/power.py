"""How often the rule supports a claim, and how large an effect must be for that; before any data.

Effects are in standard deviations of the paired differences, which are taken to be normal unless
they are known to be two-valued.
"""

from functools import lru_cache

import numpy as np
from scipy import optimize, stats

from sandbox.analysis.statistics import DRAWS, EXACT_UP_TO
from sandbox.analysis.two_valued import TABLES_TO
from sandbox.seeding import stream
from sandbox.verdicts.rule import EXACT, SIMULATIONS, Floats, supports, two_valued_rates

POWER = 0.8
"""A detectable effect is supported in 4 of 5 runs."""
GRID = 1000
"""Points at which the distribution of the spread is summed up."""
CONTROL_POWER = 0.99
"""What a positive control should have: undecided it makes every claim undetermined."""
TOLERANCE = 1e-3


def smallest_p(n: int) -> float:
    """The smallest p that ``n`` differences can give, whatever they are (``sign_flip_p``)."""
    return float(2.0**-n if n <= EXACT_UP_TO else 1 / (DRAWS + 1))


def fewest_seeds(alpha: float) -> int | None:
    """Return with how many seeds p can be ``alpha`` or less; ``None`` where with none."""
    return next((n for n in range(2, EXACT_UP_TO + 1) if smallest_p(n) <= alpha), None)


def power(effect: float, smallest: float, alpha: float, n: int) -> float:
    """Chance that the rule supports a claim whose true effect is ``effect``.

    To ``EXACT`` seeds by 1,000 simulated runs, the same for every effect; beyond by the t test
    alone, from the known distributions of mean and spread.
    """
    if not _can_decide(alpha, n):
        return 0.0
    if n <= EXACT:
        return float(supports(effect + _noise(n), smallest, alpha).mean())
    return _by_t(effect, smallest, alpha, n)


def detectable(spread: float, smallest: float, alpha: float, n: int) -> float | None:
    """Smallest true effect that is supported in 4 of 5 runs, in the unit of ``smallest``.

    ``spread``: standard deviation of the paired differences. ``None`` where no effect is: too few
    seeds for this alpha, or no spread to test with.
    """
    if not spread > 0 or not _can_decide(alpha, n):
        return None
    return spread * _in_spreads(float(f"{smallest / spread:.6g}"), alpha, n)


def two_valued_power(effect: float, spread: float, smallest: float, alpha: float, n: int) -> float:
    """``power`` where all differences are -1, 0 or 1, as all numbers are; from all outcomes.

    With as many pairs that differ as give the spread, or as the effect needs. Above 100 seeds the
    differences are taken to be normal.
    """
    if n > TABLES_TO:
        return power(effect / spread, smallest / spread, alpha, n)
    mean = float(np.clip(effect, -1, 1))
    share = float(np.clip(spread**2 + mean**2, abs(mean), 1))
    return two_valued_rates(n, mean, share, smallest, alpha)[0]


def two_valued_detectable(spread: float, smallest: float, alpha: float, n: int) -> float | None:
    """``detectable`` of such differences, to a hundredth.

    ``None`` also where only effects would do that leave no spread to test with.
    """
    if n > TABLES_TO:
        return detectable(spread, smallest, alpha, n)
    for effect in np.arange(1, 101) / 100:
        if two_valued_power(float(effect), spread, smallest, alpha, n) >= POWER:
            return float(effect)
    return None


def _can_decide(alpha: float, n: int) -> bool:
    return n > 1 and smallest_p(n) <= alpha


@lru_cache(maxsize=256)
def _in_spreads(smallest: float, alpha: float, n: int) -> float:
    """``detectable`` for a spread of 1."""
    high = smallest + 1.0
    while power(high, smallest, alpha, n) < POWER:
        high *= 2
    if n <= EXACT:
        return _bisected(smallest, alpha, n, high)
    excess = lambda effect: _by_t(effect, smallest, alpha, n) - POWER  # noqa: E731
    return float(optimize.brentq(excess, 0.0, high, rtol=TOLERANCE))


def _bisected(smallest: float, alpha: float, n: int, high: float) -> float:
    """The same draws at every effect: one that is supported is so at every larger effect."""
    low, draws, sure = 0.0, _noise(n), 0
    while high - low > TOLERANCE * high:
        middle = (low + high) / 2
        found = supports(middle + draws, smallest, alpha)
        if sure + int(found.sum()) >= POWER * SIMULATIONS:
            high, draws = middle, draws[found]  # the others fail below it, too
        else:
            low, draws, sure = middle, draws[~found], sure + int(found.sum())
    return high


def _by_t(effect: float, smallest: float, alpha: float, n: int) -> float:
    """Over the quantiles of the spread: how often does the mean reach all that it must?"""
    shares = (np.arange(GRID) + 0.5) / GRID
    errors = np.sqrt(stats.chi2.ppf(shares, n - 1) / (n - 1) / n)
    least = np.maximum(smallest, float(stats.t.ppf(1 - alpha, n - 1)) * errors)
    return float(stats.norm.sf((least - effect) * n**0.5).mean())


@lru_cache(maxsize=8)
def _noise(n: int) -> Floats:
    return stream(0, "simulated power", n).normal(size=(SIMULATIONS, n))
