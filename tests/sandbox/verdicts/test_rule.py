"""The rule: every row, its error rates by simulation, the same however it is asked."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sandbox.analysis.statistics import sign_flip_p
from sandbox.verdicts.holm import shares
from sandbox.verdicts.rule import (
    LABELS,
    Levels,
    both_tests,
    decide,
    deciding_n,
    rates,
    seeds_to_decide,
    two_valued_rates,
)

SMALLEST = 0.05


def label(differences, smallest=SMALLEST, alpha=0.01):
    found = np.asarray(differences, dtype=float)
    return decide(found, smallest, both_tests(found, smallest), Levels(alpha, alpha))


def spread(mean, half, n=20):
    """n values around a mean, symmetric, so that both tests see the same."""
    return mean + half * np.linspace(-1, 1, n)


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        (spread(0.06, 0.02), "supported"),
        (spread(0.05, 0.02), "supported"),
        (spread(0.045, 0.03), "undetermined"),  # surely above 0, perhaps large enough
        (spread(0.04, 0.01), "refuted negligible"),  # surely above 0, surely too small
        (spread(0.0, 0.03), "refuted negligible"),
        (spread(-0.08, 0.02), "refuted reversed"),
        (spread(-0.03, 0.01), "refuted negligible"),  # the first row that matches
        (spread(-0.04, 0.15), "refuted claimed size excluded"),
        (spread(0.0, 0.5), "undetermined"),
        ([0.2] * 20, "undetermined"),  # no spread: nothing to test with
    ],
)
def test_first_matching_row_wins(differences, expected):
    assert label(differences) == expected
    assert expected in LABELS


def test_p_of_a_null_is_the_larger_of_both_tests_and_one_sided():
    found = np.array([0.3, 0.1, -0.05, 0.2, 0.4, 0.02, 0.15])
    above, below = both_tests(found, SMALLEST)
    assert above.t == pytest.approx(stats.ttest_1samp(found, 0, alternative="greater").pvalue)
    assert below.t == pytest.approx(stats.ttest_1samp(found, SMALLEST, alternative="less").pvalue)
    signs = np.array(list(itertools.product([-1, 1], repeat=7)))
    for tested, values in ((above, found), (below, SMALLEST - found)):
        assert tested.flip == pytest.approx(np.mean(signs @ values >= values.sum() - 1e-12))
        assert tested.p == max(tested.t, tested.flip)


@pytest.mark.parametrize(
    ("n", "claims", "enough"),
    [(6, 1, False), (7, 1, True), (7, 2, False), (8, 2, True), (9, 6, False), (10, 6, True)],
)
def test_the_smallest_n_that_alpha_one_percent_allows(n, claims, enough):
    differences = 1 + 0.01 * np.arange(n)
    assert (label(differences, alpha=0.01 / claims) == "supported") == enough


def test_above_forty_the_test_is_drawn_and_close_to_normal():
    found = np.random.default_rng(3).normal(0.3, 1, 60)
    exact = stats.norm.sf(found.sum() / np.sqrt(found @ found))
    assert sign_flip_p(found, "greater") == pytest.approx(exact, rel=0.1)
    assert sign_flip_p(found, "greater") == sign_flip_p(found, "greater")
    assert sign_flip_p(10 + found, "greater") == pytest.approx(1e-5)  # (0 + 1) / 100,000


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=2, max_size=24), st.floats(0.01, 1.2))
def test_two_valued_arms_are_refuted_by_a_third_test_and_no_p_is_smaller_for_it(values, smallest):
    differences = np.array(values)
    above, below = both_tests(differences, smallest)
    assert above.exact is None, "signs of such differences are fair coins already"
    for each in (above, below):
        assert each.p >= max(each.t, each.flip)
    assert (below.exact is None) == (np.ptp(differences) == 0)
    assert below.p == max(below.t, below.flip, below.exact or 0.0)


def test_other_differences_have_two_tests():
    both = both_tests(np.array([0.0, 1.0, -1.0, 0.5]), SMALLEST)
    assert [each.exact for each in both] == [None, None]


def test_two_valued_arms_many_at_once_are_judged_as_one_by_one():
    draws = np.random.default_rng(6).choice([-0.5, 0.0, 0.5], (300, 14), p=[0.2, 0.6, 0.2])
    one_by_one = [label(each, 0.2, 0.05).partition(" ")[0] for each in draws]
    found = rates(draws, 0.2, 0.05)
    assert 0.1 < found["refuted"] < 0.9
    for each, share in found.items():
        assert share == pytest.approx(one_by_one.count(each) / 300)


@pytest.mark.parametrize("n", [45, 60])
def test_above_forty_rare_events_still_hold_alpha(n):
    """The sign-flip test is drawn there, and left out here."""
    for share in np.linspace(0.1, 1, 19):
        assert two_valued_rates(n, 0.1, share, 0.1, 0.01)[1] <= 0.01


def test_rates_of_two_valued_arms_are_those_of_the_rule():
    draws = np.random.default_rng(7).choice([-1.0, 0.0, 1.0], (3000, 15), p=[0.05, 0.55, 0.4])
    found, exact = rates(draws, 0.2, 0.05), two_valued_rates(15, 0.35, 0.45, 0.2, 0.05)
    assert (found["supported"], found["refuted"]) == pytest.approx(exact, abs=0.03)


def test_the_promised_n_of_two_valued_arms_is_counted_and_larger_than_for_normal_ones():
    few = np.array([1.0, -1.0] + [0.0] * 18)
    n = seeds_to_decide(few, 0.2, 0.01)
    assert sum(two_valued_rates(n, 0.0, 0.1, 0.2, 0.01)) >= 0.8
    assert sum(two_valued_rates(n - 1, 0.0, 0.1, 0.2, 0.01)) < 0.8
    assert n > deciding_n(0.0, 0.2 / few.std(ddof=1), 0.01, 21)
    assert seeds_to_decide(few, 0.02, 0.01) > 100, "as for normal differences"


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=12),
    st.floats(0.01, 0.5),
    st.sampled_from([0.05, 0.0025]),
)
def test_a_claim_and_its_opposite_are_never_both_supported(differences, smallest, alpha):
    mine = label(differences, smallest, alpha)
    theirs = label([-each for each in differences], smallest, alpha)
    assert not mine == theirs == "supported"
    if mine == "supported":
        assert theirs.startswith(("refuted", "undetermined"))


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=10), st.floats(0.5, 2), st.randoms())
def test_neither_scale_nor_order_matters(differences, scale, random):
    shuffled = [*differences]
    random.shuffle(shuffled)
    found = both_tests(np.array(differences), SMALLEST)
    other = both_tests(scale * np.array(shuffled), scale * SMALLEST)
    for one, two in zip(found, other, strict=True):
        assert one.t == pytest.approx(two.t, abs=1e-9)
        assert one.flip == pytest.approx(two.flip, abs=1e-9)


def test_many_at_once_are_judged_as_one_by_one():
    draws = np.random.default_rng(5).normal(0.5, 1, (200, 9))
    one_by_one = [label(each, 0.8, 0.05).partition(" ")[0] for each in draws]
    found = rates(draws, 0.8, 0.05)
    assert found == {
        each: pytest.approx(one_by_one.count(each) / 200)
        for each in ("supported", "refuted", "undetermined")
    }


@pytest.mark.parametrize("n", [7, 10, 20])
@pytest.mark.parametrize("smallest", [0.05, 0.3, 0.8])
def test_error_rates_of_normal_differences_are_at_most_alpha(n, smallest):
    """``python -m benchmarks.error_rates`` prints those of other distributions."""
    draws, alpha = 6000, 0.01
    rng = np.random.default_rng([n, int(100 * smallest)])
    error = alpha + 3 * np.sqrt(alpha * (1 - alpha) / draws)
    assert rates(rng.normal(0, 1, (draws, n)), smallest, alpha)["supported"] <= error
    assert rates(rng.normal(smallest, 1, (draws, n)), smallest, alpha)["refuted"] <= error


@pytest.mark.parametrize(("smallest", "n"), [(0.56, 20), (0.8, 10)])
def test_power_for_twice_the_smallest_effect(smallest, n):
    draws = np.random.default_rng([n]).normal(2 * smallest, 1, (4000, n))
    assert rates(draws, smallest, 0.01)["supported"] >= 0.95


@pytest.mark.parametrize(("effect", "smallest"), [(1.0, 0.5), (0.0, 0.8), (0.2, 0.5)])
def test_the_promised_n_decides_four_times_in_five(effect, smallest):
    n = deciding_n(effect, smallest, 0.01, 3)
    for size, least, most in ((n, 0.72, 1.0), (n - 3, 0.0, 0.87)):
        many = 2000 if size <= 20 else 200  # exact sign flips of 30 differences take their time
        draws = np.random.default_rng([size]).normal(effect, 1, (many, size))
        assert least <= 1 - rates(draws, smallest, 0.01)["undetermined"] <= most


def test_an_effect_of_exactly_the_smallest_size_may_never_be_decided():
    assert deciding_n(0.8, 0.8, 0.01, 3) is None or deciding_n(0.8, 0.8, 0.01, 3) > 20
    assert deciding_n(0.0, 0.001, 0.01, 3) is None


def test_holm_steps_down_from_the_smallest_p():
    alphas = dict.fromkeys(range(4), 0.05)
    assert shares({0: 0.04, 1: 0.001, 2: 0.02, 3: 0.9}, alphas, 4) == {1: 4, 2: 3, 0: 3, 3: 3}
    assert shares({0: 0.001, 1: 0.02}, alphas, 2) == {0: 2, 1: 1}
    assert shares({0: 0.001}, alphas, 3) == {0: 3}, "claims that were dropped still count"
    assert shares({}, alphas, 0) == {}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_published_adjustment(p):
    from sandbox.analysis.statistics import holm

    given_p, alphas = dict(enumerate(p)), dict.fromkeys(range(len(p)), 0.05)
    counts = shares(given_p, alphas, len(p))
    mine = [p[i] <= 0.05 / counts[i] for i in range(len(p))]
    assert mine == [each <= 0.05 for each in holm(p)]
