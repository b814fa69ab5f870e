"""What a verdict says: planted effects and nulls, checks, reasons and what weakens it."""

import math

import numpy as np
import pytest

from sandbox.verdicts.verdict import Check, exploratory, judge, pending, undetermined

SMALLEST = 0.05


def planted(effect, n, spread=0.05, seed=0):
    return effect + np.random.default_rng(seed).normal(0, spread, n)


def test_planted_effect_of_twice_the_smallest_is_supported():
    found = judge(planted(0.1, 20), SMALLEST)

    assert found.title == "supported"
    assert found.low < found.estimate < found.high
    assert found.n == 20
    assert found.tests.above_zero.p < 0.001
    spread = np.std(planted(0.1, 20), ddof=1)
    assert found.resolution == pytest.approx(SMALLEST * 20**0.5 / spread)
    assert "both tests exclude 0 or less" in found.reason


def test_planted_null_is_refuted_as_negligible_at_thirty_seeds():
    assert judge(planted(0.0, 30), SMALLEST).title == "refuted (negligible)"


def test_reversed_plant_is_refuted_as_reversed():
    assert judge(planted(-0.1, 20), SMALLEST).title == "refuted (reversed)"


def test_placebo_that_only_reshuffles_seeds_is_never_supported():
    """A placebo: both arms draw from one distribution, many times over."""
    rng = np.random.default_rng(1)
    arms = rng.normal(0.5, 0.03, (300, 2, 20))
    statuses = [judge(a - b, SMALLEST).status for a, b in arms]

    assert statuses.count("supported") == 0
    assert statuses.count("refuted") > 280


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
    assert (found.low, found.high, found.tests, found.n_needed) == (None, None, None, None)
    assert found.estimate == (0.4 if differences else None)
    note = "n = 1 cannot show any spread" if differences else "no pair of trials could be compared"
    assert found.reason == f"{note}; plan for 20 paired seeds"


def test_identical_differences_decide_nothing():
    for value in (-0.2, 0.0, 0.2):
        found = judge([value] * 3, SMALLEST)
        assert found.title == "undetermined"
        assert found.reason == "all 3 differences are identical: there is no spread to test with"
        assert found.n_needed is None


def test_the_test_that_does_not_agree_is_named():
    few = judge([0.30, 0.31, 0.29], SMALLEST)
    assert few.status == "undetermined"
    assert few.reason.startswith(
        "the sign-flip test (p = 0.12) does not exclude 0 or less at the level 0.01, which 3 seeds"
        " cannot reach; about 7 paired seeds would decide"
    )
    wild = judge([*([0.3] * 9), -2.0], SMALLEST)
    assert "the t test" in wild.reason
    assert "do not exclude" in wild.reason
    small = judge(planted(0.04, 20, spread=0.02), SMALLEST)
    assert "0.05 or more" in small.reason


def test_the_exact_test_of_two_valued_arms_is_named():
    """One rise in 20 seeds: a rise of .2 is excluded by two tests of three."""
    found = judge([1.0, *[0.0] * 19], 0.2)
    assert found.reason.startswith(
        "the exact test of two-valued arms (p = 0.07) does not exclude 0.2 or more at the level"
        " 0.01; about 64 paired seeds would decide"
    )
    none = judge([-1.0, *[0.0] * 19], 0.4)
    assert none.title == "refuted (negligible)"
    assert none.reason.startswith(
        "t test, sign-flip test and exact test of two-valued arms exclude 0.4 or more (p = "
    )


def test_how_many_seeds_decide_is_called_rough_where_few_were_run():
    rough = judge([0.1, 0.2], SMALLEST)
    assert rough.status == "undetermined"
    assert "a rough guess from 2 seeds" in rough.reason
    assert "rough" not in judge([0.01, 0.2, -0.1, 0.12, -0.08], 0.05).reason


@pytest.mark.parametrize("bad", [[math.nan, 1.0], [math.inf, 1.0]])
def test_unmeasured_pairs_must_not_slip_in(bad):
    with pytest.raises(ValueError, match="finite"):
        judge(bad, SMALLEST)


def test_what_weakens_a_verdict_keeps_what_it_said():
    found = judge(planted(0.1, 20), SMALLEST)
    weak = exploratory(found, ["the claim was changed"])
    assert weak.title == "suggestive (exploratory)"
    assert found.reason in weak.notes
    against = exploratory(judge(planted(-0.1, 20), SMALLEST), ["so"])
    assert against.title == "suggestive (exploratory, against the claim)"
    assert exploratory(found, []) is found
    taken = undetermined(found, "missing data", "3 pairs are missing")
    assert taken.title == "undetermined (missing data)"
    assert taken.notes[0] == f"without that it would be supported: {found.reason}"
    assert undetermined(taken, "heterogeneous", "x") is taken
    failed = judge(planted(0.1, 20), SMALLEST, checks=[Check("x", False)])
    assert exploratory(failed, ["so"]) is failed
    assert pending("no verdict before n = 9", SMALLEST, 0.01, []).estimate is None
