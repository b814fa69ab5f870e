"""The verdict rule: every row, planted effects and nulls, and its operating characteristics."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.analysis.statistics import t_quantile
from sandbox.verdicts.verdict import Check, classify, judge

SMALLEST = 0.05


@pytest.mark.parametrize(
    ("estimate", "low", "high", "expected"),
    [
        (0.06, 0.01, 0.11, "supported"),
        (0.05, 0.001, 0.099, "supported"),
        (0.04, 0.01, 0.07, "undetermined"),  # surely positive, not surely large enough
        (0.06, 0.0, 0.12, "undetermined"),
        (-0.03, -0.06, -0.001, "refuted reversed"),
        (0.0, -0.04, 0.04, "refuted negligible"),
        (0.02, 0.005, 0.04, "refuted negligible"),
        (-0.02, -0.07, 0.03, "refuted claimed size excluded"),
        (-0.02, -0.06, 0.05, "undetermined"),
    ],
)
def test_first_matching_row_wins(estimate, low, high, expected):
    assert classify(estimate, low, high, SMALLEST) == expected


def planted(effect, n, spread=0.05, seed=0):
    return effect + np.random.default_rng(seed).normal(0, spread, n)


def test_planted_effect_of_twice_the_smallest_is_supported():
    found = judge(planted(0.1, 20), SMALLEST)

    assert found.title == "supported"
    assert found.low < found.estimate < found.high
    assert found.n == 20
    assert found.p < 0.001


def test_planted_null_is_refuted_as_negligible_at_thirty_seeds():
    assert judge(planted(0.0, 30), SMALLEST).title == "refuted (negligible)"


def test_a_reversal_too_small_to_matter_says_so():
    tiny = judge(-planted(0.1 * SMALLEST, 20, spread=0.005), SMALLEST)
    assert tiny.title == "refuted (reversed)"
    assert any("too small to matter" in note for note in tiny.notes)
    assert not any("too small" in n for n in judge(-planted(2 * SMALLEST, 20), SMALLEST).notes)


def test_reversed_plant_is_refuted_as_reversed():
    assert judge(-planted(0.1, 20), SMALLEST).title == "refuted (reversed)"


def test_placebo_that_only_reshuffles_seeds_is_never_supported():
    """A placebo: both arms draw from one distribution, many times over."""
    rng = np.random.default_rng(1)
    arms = rng.normal(0.5, 0.03, (300, 2, 20))
    statuses = [judge(a - b, SMALLEST).status for a, b in arms]

    assert statuses.count("supported") == 0
    assert statuses.count("refuted") > 290


def test_an_effect_smaller_than_claimed_but_real_is_refuted_by_its_size():
    found = judge([-0.12, 0.06, -0.09, 0.01, -0.02, -0.06, 0.03, -0.05], SMALLEST)

    assert found.title == "refuted (claimed size excluded)"


def test_a_failed_check_comes_before_everything():
    failed = Check("manipulation", False, "the dose did not arrive")
    found = judge(planted(0.1, 20), SMALLEST, checks=[Check("x", True), failed, Check("y", None)])

    assert found.status == "invalid"
    assert found.reason == "manipulation: the dose did not arrive"
    assert found.estimate == pytest.approx(0.1, abs=0.05)
    assert judge([], SMALLEST, checks=[failed]).status == "invalid"


@pytest.mark.parametrize("differences", [[], [0.4]])
def test_fewer_than_two_seeds_decide_nothing(differences):
    found = judge(differences, SMALLEST)

    assert found.status == "undetermined"
    assert (found.low, found.high, found.p, found.n_needed) == (None, None, None, None)
    assert found.estimate == (0.4 if differences else None)
    note = "n = 1 cannot show any spread" if differences else "no pair of trials could be compared"
    assert found.reason == f"{note}; plan for 20 paired seeds"


def test_undetermined_names_an_n_that_does_decide():
    """At the promised n, with this mean and spread, the rule decides about 4 times in 5."""
    few = judge([0.3, -0.1, 0.2], SMALLEST)
    assert few.status == "undetermined"
    assert str(few.n_needed) in few.reason

    mean, spread = few.estimate, float(np.std([0.3, -0.1, 0.2], ddof=1))
    draws = np.random.default_rng(2).normal(mean, spread, (4000, few.n_needed))
    decided = np.mean(_verdicts(draws, SMALLEST, 0.05) != "undetermined")

    assert 0.78 < decided < 0.9


def test_identical_differences_are_reported_as_such():
    found = judge([-0.2, -0.2, -0.2], SMALLEST)

    assert found.title == "refuted (reversed)"
    assert found.low == found.high == found.estimate == pytest.approx(-0.2)
    assert "identical" in found.notes[0]
    assert judge([0.0, 0.0], SMALLEST).title == "refuted (negligible)"


def test_few_seeds_are_said_to_mean_that_their_test_cannot_be_significant():
    found = judge([0.30, 0.31, 0.29], SMALLEST)

    assert found.status == "supported"
    assert found.p == 0.25
    assert "cannot give p below 0.25" in found.notes[0]


@pytest.mark.parametrize("bad", [[math.nan, 1.0], [math.inf, 1.0]])
def test_unmeasured_pairs_must_not_slip_in(bad):
    with pytest.raises(ValueError, match="finite"):
        judge(bad, SMALLEST)


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=12),
    st.floats(0.01, 0.5),
    st.sampled_from([0.05, 0.0025]),
)
def test_a_claim_and_its_opposite_are_never_both_supported(differences, smallest, alpha):
    mine = judge(differences, smallest, alpha)
    theirs = judge([-each for each in differences], smallest, alpha)

    assert not mine.status == theirs.status == "supported"
    if mine.status == "supported":
        assert theirs.title == "refuted (reversed)"


def _verdicts(draws, smallest, alpha):
    n = draws.shape[1]
    mean, half = draws.mean(1), draws.std(1, ddof=1) * t_quantile(n - 1, 1 - 2 * alpha) / n**0.5
    return classify(mean, mean - half, mean + half, smallest)


OPERATING = {  # (n, one-sided alpha) -> true effect in SDs -> supported/refuted/undetermined
    (5, 0.05): [(0.02, 0.45), (0.11, 0.19), (0.37, 0.05), (0.65, 0.01), (0.89, 0.0)],
    (10, 0.05): [(0.01, 0.77), (0.09, 0.32), (0.50, 0.04), (0.89, 0.0), (1.0, 0.0)],
    (20, 0.05): [(0.0, 0.97), (0.04, 0.53), (0.52, 0.05), (0.96, 0.0), (1.0, 0.0)],
    (20, 0.0025): [(0.0, 0.67), (0.03, 0.12), (0.47, 0.0), (0.96, 0.0), (1.0, 0.0)],
    (30, 0.0025): [(0.0, 0.89), (0.02, 0.22), (0.49, 0.0), (0.99, 0.0), (1.0, 0.0)],
}


@pytest.mark.parametrize(("n", "alpha"), OPERATING)
def test_operating_characteristics(n, alpha):
    """Smallest effect .8 SD; the published rates are simulated too, rounded to two digits."""
    simulations, published_simulations = 6000, 2000
    rng = np.random.default_rng([n, int(alpha * 10_000)])
    for effect, expected in zip([0, 0.4, 0.8, 1.2, 1.6], OPERATING[n, alpha], strict=True):
        found = _verdicts(rng.normal(effect, 1, (simulations, n)), 0.8, alpha)
        rates = np.mean(found == "supported"), np.mean(np.char.startswith(found, "refuted"))
        for rate, published in zip(rates, expected, strict=True):
            variance = max(rate * (1 - rate), 0.001)
            error = math.sqrt(variance / simulations + variance / published_simulations)
            assert rate == pytest.approx(published, abs=0.005 + 3.5 * error)


def test_the_vectorised_rule_is_the_rule_of_judge():
    draws = np.random.default_rng(5).normal(0.3, 1, (60, 6))

    one_by_one = [judge(each, 0.8).title.replace(" (", " ").rstrip(")") for each in draws]

    assert one_by_one == list(_verdicts(draws, 0.8, 0.05))


def test_how_many_seeds_decide_is_called_rough_where_few_were_run():
    rough = judge([0.01, 0.2], 0.05)
    assert rough.status == "undetermined"
    assert "a rough guess: 2 seeds hardly show" in rough.reason
    assert "rough" not in judge([0.01, 0.2, -0.1, 0.12, -0.08], 0.05).reason
