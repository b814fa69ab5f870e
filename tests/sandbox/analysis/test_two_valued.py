"""The exact test of two-valued arms holds its level at every share of pairs that differ."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sandbox.analysis import two_valued
from sandbox.analysis.statistics import sign_flip_p
from sandbox.analysis.two_valued import (
    Counted,
    counts_of,
    exact_p,
    exact_table,
    ordinary_table,
    outcomes,
)

LEVELS = (0.05, 0.01, 0.001)


def chance(region, n, mean, share):
    """Of an outcome of this region, counted over all of them."""
    up, down = outcomes(n)
    within = region[up, down]
    counts = np.array([up, down, n - up - down]).T[within]
    chances = [(share + mean) / 2, (share - mean) / 2, 1 - share]
    return float(stats.multinomial.pmf(counts, n, np.clip(chances, 0, 1)).sum())


@pytest.mark.parametrize("n", [2, 7, 10, 20, 40])
@pytest.mark.parametrize("null", [0.01, 0.065, 0.2, 0.5, 0.9])
def test_a_mean_of_the_null_is_rejected_at_most_at_the_level(n, null):
    table = exact_table(n, null)
    for level in LEVELS:
        shares = np.linspace(null, 1, 201)
        assert max(chance(table <= level, n, null, q) for q in shares) <= level


@pytest.mark.parametrize("n", [10, 20])
@pytest.mark.parametrize("null", [0.01, 0.1, 0.3, 0.7])
def test_a_mean_beyond_the_null_is_rejected_no_more_often(n, null):
    for level, mean in itertools.product(LEVELS, np.linspace(null, 1, 12)):
        rates = [chance(exact_table(n, null) <= level, n, mean, q) for q in np.linspace(mean, 1, 9)]
        assert max(rates) <= level


def test_the_t_test_and_the_sign_flip_test_alone_do_not_hold_it():
    rejected = ordinary_table(40, 0.1) <= 0.01
    assert max(chance(rejected, 40, 0.1, share) for share in np.linspace(0.1, 1, 201)) > 0.06


def test_p_is_the_chance_of_the_outcome_and_all_stronger_ones_at_the_worst_share():
    n, null = 12, 0.2
    table = exact_table(n, null)
    up, down = outcomes(n)
    for mine in sorted(set(table[up, down]))[:40:5]:
        true = max(chance(table <= mine, n, null, q) for q in np.linspace(null, 1, 2001))
        assert true <= mine <= 1.02 * true + 1e-12


@pytest.mark.parametrize("null", [0.05, 0.4])
def test_fewer_rises_or_more_falls_never_give_a_larger_p(null):
    table = exact_table(15, null)
    for up, down in zip(*outcomes(15), strict=True):
        weaker = [(up + 1, down), (up, down - 1), (up + 1, down - 1)]
        for more, fewer in weaker:
            if fewer >= 0 and more + fewer <= 15:
                assert table[up, down] <= table[more, fewer]


@pytest.mark.parametrize(("up", "down", "n"), [(2, 5, 30), (1, 0, 30), (0, 3, 20)])
def test_one_outcome_by_itself_has_the_p_of_the_table(monkeypatch, up, down, n):
    tabled = exact_p(Counted(0.5, up, down, n), 0.05)
    monkeypatch.setattr(two_valued, "TABLES_TO", 1)
    assert exact_p(Counted(0.5, up, down, n), 0.05) == pytest.approx(tabled)


def test_the_table_of_the_other_tests_has_their_p_of_every_outcome():
    n, null = 9, 0.21
    table = ordinary_table(n, null)
    for up, down in zip(*outcomes(n), strict=True):
        values = null - np.repeat([1.0, -1.0, 0.0], [up, down, n - up - down])
        if np.ptp(values) == 0:
            assert table[up, down] == 1
            continue
        t = stats.ttest_1samp(values, 0, alternative="greater").pvalue
        assert table[up, down] == pytest.approx(max(t, sign_flip_p(values, "greater")))


def test_a_null_that_no_such_difference_could_have_adds_nothing():
    assert exact_p(Counted(0.2, 1, 3, 10), 0.2) == 0
    assert exact_p(Counted(0.2, 1, 3, 10), 0.3) == 0


@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=2, max_size=30), st.floats(0.01, 100))
def test_two_valued_arms_are_recognised_at_any_scale(signs, size):
    found = counts_of(size * np.array(signs, dtype=float))
    if not any(signs):
        assert found is None
    else:
        assert found == (pytest.approx(size), signs.count(1), signs.count(-1), len(signs))


@pytest.mark.parametrize("several", [[0.0, 0.5, 1.0], [1.0, -0.999], [0.0, 0.0], [1.0, 1e-6]])
def test_differences_of_several_sizes_are_not_two_valued(several):
    assert counts_of(np.array(several)) is None
