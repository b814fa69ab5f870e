"""Published and closed-form values, coverage, and exact small-sample facts."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sandbox.analysis import statistics
from sandbox.analysis.statistics import (
    holm,
    identical,
    level_interval,
    sign_flip_p,
    t_interval,
)


def monte_carlo_tolerance(p: float, n: int) -> float:
    """Four standard errors of a rate seen in n simulations: 1 false alarm in 16 000."""
    return 4 * math.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize(("n", "smallest"), [(5, 0.0625), (6, 0.03125), (10, 0.001953125)])
def test_sign_flip_smallest_p(n, smallest):
    assert sign_flip_p(np.linspace(1, 2, n)) == smallest


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=9))
def test_sign_flip_equals_brute_force(differences):
    flips = itertools.product([1, -1], repeat=len(differences))
    sums = np.abs([np.dot(each, differences) for each in flips])

    assert sign_flip_p(differences) == pytest.approx(np.mean(sums >= abs(sum(differences))))


def test_sign_flip_large_n_meets_its_normal_limit():
    draws = np.random.default_rng(0).normal(0.3, 1, 40)

    exact = sign_flip_p(draws)
    normal = 2 * stats.norm.sf(abs(draws.sum()) / math.sqrt(draws @ draws))

    assert exact == pytest.approx(normal, rel=0.1)
    assert sign_flip_p(np.zeros(50)) == 1


def test_t_interval_equals_scipy_and_needs_no_spread():
    values = [0.1, 0.4, -0.2, 0.3]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)

    assert t_interval(values, 0.9) == pytest.approx(tuple(expected))
    assert t_interval([0.3 - 0.1, 0.2]) == pytest.approx((0.2, 0.2))  # identical but for rounding
    assert identical([0.3 - 0.1, 0.2])


def test_t_interval_covers_the_mean_as_often_as_it_says():
    """10 normal differences: exactly 95 % (the table of the protocol says .96, simulated)."""
    simulations = 4000
    draws = np.random.default_rng(1).normal(0.7, 2.0, (simulations, 10))
    inside = [low <= 0.7 <= high for low, high in map(t_interval, draws)]

    assert np.mean(inside) == pytest.approx(0.95, abs=monte_carlo_tolerance(0.95, simulations))


def test_percentile_bootstrap_covers_too_little_at_five_seeds():
    """Nominal 95 % gives .84 for 5 normal seeds: why t intervals are used below 20."""
    simulations, resamples = 1500, 400
    rng = np.random.default_rng(2)
    draws = rng.normal(0, 1, (simulations, 5))
    means = draws[:, rng.integers(5, size=(resamples, 5))].mean(-1)
    low, high = np.quantile(means, [0.025, 0.975], axis=1)
    covered = np.mean((low <= 0) & (high >= 0))

    assert covered == pytest.approx(0.84, abs=0.015 + monte_carlo_tolerance(0.84, simulations))


BENJAMINI_HOCHBERG_1995 = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
    0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
]  # fmt: skip


def test_holm_on_the_published_list():
    """15 p-values: Bonferroni and Holm reject 3, Benjamini-Hochberg 4, Benjamini-Yekutieli 3."""
    p = np.array(BENJAMINI_HOCHBERG_1995)

    assert (holm(p) <= 0.05).sum() == 3
    assert (p * p.size <= 0.05).sum() == 3
    assert (stats.false_discovery_control(p) <= 0.05).sum() == 4
    assert (stats.false_discovery_control(p, method="by") <= 0.05).sum() == 3


def test_holm_keeps_the_order_given():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1, 1])


def test_an_interval_of_a_share_ends_where_shares_do():
    values = [0.9, 1.0, 1.0, 1.0]
    low, high = t_interval(values)
    assert high > 1
    assert level_interval(values, 0, 1) == (low, 1)
    assert level_interval(values, float("-inf"), float("inf")) == (low, high)


def test_draws_are_the_same_in_batches_of_any_size(monkeypatch):
    values = np.random.default_rng(0).normal(0.02, 1, 1500)
    small = statistics.sign_flip_p(values, "greater")
    monkeypatch.setattr(statistics, "FEW", 10_000)
    assert statistics.sign_flip_p(values, "greater") == small
