"""Survival curves against a textbook's data, closed forms, and scipy's own."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sandbox.analysis.survival import Subjects, kaplan_meier, log_rank

# Remission of acute leukaemia in weeks (Freireich et al. 1963, Gehan 1965): 21 on 6-MP, 12 of them
# still in remission when last seen, and 21 on placebo.
TREATED = Subjects(
    [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35],
    [True] * 9 + [False] * 12,
)
PLACEBO = Subjects(
    [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], [True] * 21
)
GROUP = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=30).map(
    lambda rows: Subjects([t for t, _ in rows], [e for _, e in rows])
)


def censored(group):
    durations, events = np.array(group.durations, float), np.array(group.events)
    return stats.CensoredData(uncensored=durations[events], right=durations[~events])


def test_the_textbook_curve_and_its_median():
    curve = kaplan_meier(TREATED)

    assert curve.times == (6, 7, 10, 13, 16, 22, 23)
    assert curve.survival == pytest.approx(
        [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5
    )
    assert curve.median == 23
    assert kaplan_meier(PLACEBO).median == 8


def test_the_textbook_log_rank_test():
    found = log_rank([TREATED, PLACEBO])

    assert found.statistic == pytest.approx(16.79, abs=5e-3)
    assert found.freedom == 1
    assert found.p == pytest.approx(4.17e-5, rel=1e-2)


@given(GROUP)
def test_the_curve_and_its_interval_are_those_of_scipy(group):
    if not any(group.events):
        return
    curve, theirs = kaplan_meier(group), stats.ecdf(censored(group)).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has no interval where the curve is at 0
        between = theirs.confidence_interval(method="log-log")

    for i, time in enumerate(curve.times):
        place = list(theirs.quantiles).index(time)
        assert curve.survival[i] == pytest.approx(theirs.probabilities[place])
        if 0 < curve.survival[i] < 1:
            assert curve.interval[i].low == pytest.approx(between.low.probabilities[place])
            assert curve.interval[i].high == pytest.approx(between.high.probabilities[place])


@given(GROUP, GROUP)
def test_the_log_rank_test_is_that_of_scipy_and_knows_no_order(one, other):
    found, turned = log_rank([one, other]), log_rank([other, one])

    assert found.statistic == pytest.approx(turned.statistic, abs=1e-9)
    if found.statistic > 1e-9:
        theirs = stats.logrank(censored(one), censored(other))
        assert found.p == pytest.approx(theirs.pvalue, rel=1e-6)


def test_three_groups_by_hand():
    """One event, one person a group: expected 1/3 each; V = 2/9 and -1/9; chi-squared 2."""
    groups = [Subjects([1], [True]), Subjects([2], [False]), Subjects([2], [False])]
    found = log_rank(groups)

    assert found.statistic == pytest.approx(2.0)
    assert found.p == pytest.approx(np.exp(-1))  # chi-squared, 2 degrees of freedom


def test_without_censoring_it_is_the_share_that_is_left():
    curve = kaplan_meier(Subjects(range(1, 11), [True] * 10))

    assert curve.survival == pytest.approx([1 - k / 10 for k in range(1, 11)])
    assert curve.survival[-1] == 0
    assert curve.interval[-1] == (0.0, pytest.approx(1 - 0.025**0.1))


def test_where_nothing_ever_happens_it_is_flat_and_only_its_lower_bound_shows_how_many():
    curve = kaplan_meier(Subjects([48] * 10, [False] * 10))

    assert curve.times == ()
    assert curve.median is None
    assert curve.at(48) == (1.0, (pytest.approx(0.025**0.1), 1.0))
    exact = stats.binomtest(10, 10).proportion_ci(method="exact")
    assert curve.at(0)[1] == pytest.approx((exact.low, exact.high))


def test_a_drop_stands_from_its_own_time_on():
    curve = kaplan_meier(Subjects([5, 9, 9], [True, False, False]))

    assert curve.at(4.999)[0] == 1
    assert curve.at(5)[0] == pytest.approx(2 / 3)
    assert curve.end == 9


def test_who_is_censored_at_the_time_of_an_event_was_at_risk_of_it():
    assert kaplan_meier(Subjects([5, 5], [True, False])).survival == (0.5,)


@given(GROUP)
def test_it_never_rises_and_its_interval_holds_it(group):
    curve = kaplan_meier(group)
    levels = [1.0, *curve.survival]

    assert all(after < before for before, after in pairwise(levels))
    for level, (low, high) in zip(curve.survival, curve.interval, strict=True):
        assert 0 <= low <= level + 1e-12
        assert level <= high + 1e-12 <= 1 + 1e-9


@given(GROUP)
def test_a_group_has_its_own_curve(group):
    found = log_rank([group, group])

    assert found.statistic == pytest.approx(0, abs=1e-9)
    assert found.p == pytest.approx(1)


@pytest.mark.parametrize(
    ("durations", "events", "reason"),
    [
        ([], [], "no subjects"),
        ([1, 2], [True], "one event"),
        ([-1], [True], "finite times from 0"),
        ([float("nan")], [True], "finite times from 0"),
        ([[1]], [[True]], "one duration"),
    ],
)
def test_what_is_no_group_is_refused(durations, events, reason):
    with pytest.raises(ValueError, match=reason):
        kaplan_meier(Subjects(durations, events))


def test_a_comparison_needs_two():
    with pytest.raises(ValueError, match="at least two"):
        log_rank([TREATED])
