"""The rule of the verdicts and its statistics: planted answers, error rates, published numbers."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats

from sandbox.analysis.statistics import holm, sign_flip_p, wilson
from sandbox.selftest.check import KnownNumber, known
from sandbox.selftest.error_rates import ALPHA, bound, error_rates, interim_error_rates
from sandbox.verdicts.holm import shares
from sandbox.verdicts.tails import cvar, seeds_to_flip
from sandbox.verdicts.verdict import judge

REPEATS, PLANTS, SEEDS = 2000, 200, 20
SMALLEST = 1.25  # standard deviations
ERRORS = bound(REPEATS, errors=3) - ALPHA  # three standard errors of a simulated share

MAIZE = (49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48)
"""Darwin's crossed less self-fertilised plants, eighths of an inch: Fisher 1935, section 21."""
SMALL_P = (0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324)
ALL_P = (*SMALL_P, 0.4262, 0.5719, 0.6528, 0.759, 1.0)
"""Benjamini and Hochberg 1995, section 4.1."""


def checks() -> Iterator[KnownNumber]:
    """Plants and error rates of the rule, then its parts."""
    yield from _plants()
    yield from _errors()
    yield from _tests()
    yield from _seldom()


def _plants() -> Iterator[KnownNumber]:
    for size, title in (
        (2, "supported"),
        (0, "refuted (negligible)"),
        (-2, "refuted (reversed)"),
    ):
        yield known(
            "T1",
            f"planted effect of {size:g} times the smallest, {SEEDS} seeds: share {title}",
            1,
            0.02,
            lambda size=size, title=title: _called(size, title),  # type: ignore[misc]
            f"planted, {PLANTS} samples",
        )


def _errors() -> Iterator[KnownNumber]:
    for name in ("normal", "t, 3 degrees", "uniform"):
        yield known(
            "T2",
            f"false SUPPORTED and REFUTED above 1 %, {name}, {SEEDS} seeds",
            (0, 0),
            ERRORS,
            lambda name=name: _above(error_rates(name, SEEDS, 0.3, REPEATS)),  # type: ignore[misc]
            f"alpha; 3 standard errors of {REPEATS} samples",
        )
    yield known(
        "T2",
        "the same over interim analyses at 10 and 20 seeds, normal",
        (0, 0),
        ERRORS,
        lambda: _above(interim_error_rates("normal", (10, 20), 0.3, REPEATS)),
        "alpha, shared by the analyses",
    )


def _tests() -> Iterator[KnownNumber]:
    for n in (5, 6, 10):
        yield known(
            "T3",
            f"sign flips, {n} differences of one sign: p on two sides, on one",
            (2.0 ** (1 - n), 2.0**-n),
            1e-12,
            lambda n=n: _flips([1.0 + 0.1 * i for i in range(n)]),  # type: ignore[misc]
            "2^(1-n), 2^-n",
        )
    yield known(
        "T3",
        "sign flips, Darwin's maize: p on two sides, on one",
        (1726 / 32768, 863 / 32768),
        1e-12,
        lambda: _flips(MAIZE),
        "Fisher 1935: 863 of 32,768",
    )
    yield known(
        "T4",
        "Holm at .05, 15 p-values: rejected by it, by the rule's shares, by Bonferroni",
        (3, 3, 3),
        0,
        _rejected,
        "Benjamini and Hochberg 1995: 3",
    )


def _seldom() -> Iterator[KnownNumber]:
    """Of shares and of the worst seeds."""
    for hits, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        yield known(
            "T5",
            f"Wilson's 95 % interval of {hits} of {n}",
            (low, high),
            5.1e-5,
            lambda hits=hits, n=n: wilson(hits, n),  # type: ignore[misc]
            "Newcombe 1998, method 3",
        )
    z = float(stats.norm.ppf(0.975)) ** 2
    yield known(
        "T5",
        "Wilson's upper end of 0 of 300, of 3000",
        (z / (300 + z), z / (3000 + z)),
        1e-9,
        lambda: [wilson(0, n).high for n in (300, 3000)],
        "z^2 / (n + z^2): 1.3 %, .13 %",
    )
    yield known(
        "T6",
        "interquartile mean (scipy) of 1..7 and 100, of 1..10, of two matrices of rliable",
        (4.5, 5.5, 1.5, 2.0),
        1e-12,
        lambda: [_iqm(each) for each in IQM],
        "rliable, Agarwal et al. 2021",
    )
    yield known(
        "T6",
        "harm 1 in 2 seeds of 10, else 0: interquartile mean, mean, CVaR 10 %",
        (0, 0.2, 1),
        1e-12,
        lambda: [_iqm(TWO_OF_TEN), float(np.mean(TWO_OF_TEN)), cvar(TWO_OF_TEN)],
        "by hand: why harm is never trimmed",
    )
    yield known(
        "T7",
        "0.2 +- .01 in 20 seeds: worst-case seeds that end SUPPORTED",
        1,
        0,
        lambda: [seeds_to_flip(list(0.2 + 0.01 * np.linspace(-1, 1, 20)), 0.05, 0.01, 1) or 0],
        "by hand: one at -1 gives t = 2.5, p .011",
    )


IQM = (
    [*range(1, 8), 100],
    [*range(1, 11)],
    [1, 2, 2, 2, 1, 1, 2, 1],
    [1, 1, 2, 2, 3, 3],
)
TWO_OF_TEN = [1.0, 1.0, *[0.0] * 8]


def _called(size: float, title: str) -> float:
    rng = np.random.default_rng(0)
    draws = SMALLEST * size + rng.normal(size=(PLANTS, SEEDS))
    return float(np.mean([judge(list(each), SMALLEST).title == title for each in draws]))


def _above(found: tuple[float, float]) -> list[float]:
    return [max(each - ALPHA, 0.0) for each in found]


def _flips(differences: Sequence[float]) -> list[float]:
    found = np.array(differences, dtype=float)
    return [sign_flip_p(found), sign_flip_p(found, "greater")]


def _rejected() -> list[float]:
    alphas = dict.fromkeys(range(len(ALL_P)), 0.05)
    counts = shares(dict(enumerate(ALL_P)), alphas, len(ALL_P))
    stepped = [p <= 0.05 / counts[i] for i, p in enumerate(ALL_P)]
    plain = [p <= 0.05 / len(ALL_P) for p in ALL_P]
    return [float(np.sum(each)) for each in (holm(ALL_P) <= 0.05, stepped, plain)]  # noqa: PLR2004


def _iqm(values: Sequence[float]) -> float:
    return float(stats.trim_mean(values, 0.25))
