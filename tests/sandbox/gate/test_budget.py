"""The account and the budget, in closed form."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.gate.budget import CATEGORIES, Budget, Meter, Shock, progress

AMOUNTS = st.floats(0, 1e15)


@given(st.lists(st.tuples(st.sampled_from(sorted(CATEGORIES)), AMOUNTS)))
def test_the_total_is_the_sum_of_all_that_was_charged(charges):
    meter = Meter()
    for category, flops in charges:
        meter.charge(category, flops)

    assert meter.total == pytest.approx(math.fsum(flops for _, flops in charges), rel=1e-12)
    assert set(meter.spent) == {category for category, flops in charges if flops}


@pytest.mark.parametrize("flops", [-1.0, math.inf, math.nan])
def test_a_meter_never_runs_backwards(flops):
    with pytest.raises(ValueError, match="cannot be charged"):
        Meter().charge("learning", flops)
    with pytest.raises(ValueError, match="no compute is charged as 'lunch'"):
        Meter().charge("lunch", 1.0)


def test_without_a_limit_there_is_always_more():
    assert Budget().left(1e30) == math.inf
    assert Budget().used(1e30) == Budget().age(1e30) == 0


@pytest.mark.parametrize(("factor", "end"), [(0.25, 625.0), (1.0, 1000.0), (2.0, 1500.0), (0, 500)])
def test_a_shock_multiplies_what_is_left_where_it_comes(factor, end):
    budget = Budget(1000.0, (Shock(0.5, factor),))

    assert budget.left(499.0) == 501.0
    assert budget.left(500.0) == end - 500
    assert budget.left(620.0) == end - 620
    assert budget.end == end


@given(st.floats(0.01, 0.99), st.floats(0, 4), st.floats(0, 1))
def test_what_is_spent_in_one_bite_or_in_many_has_the_same_budget(at, factor, share):
    budget = Budget(1e9, (Shock(at, factor),))
    spent = share * 1e9
    expected = at * 1e9 + factor * (1 - at) * 1e9 if spent >= at * 1e9 else 1e9

    assert budget.limit(spent) == pytest.approx(expected, rel=1e-12)
    assert budget.left(spent) == budget.limit(spent) - spent
    assert 0 <= budget.used(spent) <= 1


def test_shocks_add_up():
    """1000 -> at 500: 500 + 2 * 500 = 1500 -> at 1000: 1000 + 500 / 2 = 1250."""
    budget = Budget(1000.0, (Shock(0.5, 2.0), Shock(1.0, 0.5)))

    assert budget.end == 1250
    assert [budget.limit(each) for each in (0, 500, 999, 1000, 1249)] == [
        1000,
        1500,
        1500,
        1250,
        1250,
    ]


@pytest.mark.parametrize(
    ("flops", "shocks", "reason"),
    [
        (None, (Shock(0.5, 1),), "there is none"),
        (1.0, (Shock(0.5, 0.25), Shock(0.7, 2)), "at 0.7 never comes: all is spent at 0.625"),
        (1.0, (Shock(0.5, 2), Shock(0.2, 2)), "in the order of 'at'"),
        (1.0, (Shock(1.5, 2),), "never comes"),
    ],
)
def test_shocks_that_mean_nothing_are_refused(flops, shocks, reason):
    with pytest.raises(ValueError, match=reason):
        Budget(flops, shocks)


@pytest.mark.parametrize(("at", "factor"), [(0, 1), (-1, 1), (math.nan, 1), (0.5, -1)])
def test_shocks_have_a_place_and_a_size(at, factor):
    with pytest.raises(ValueError, match=r"share of the budget|finite number"):
        Shock(at, factor)


@pytest.mark.parametrize(
    ("steps", "spent", "over"), [(50, 0, 0.5), (50, 800, 0.8), (0, 2000, 1), (100, 0, 1)]
)
def test_a_trial_is_over_by_steps_or_by_flops(steps, spent, over):
    spec = {"learner": {"ppo": {"total_steps": 100}}, "gate": {"max_flops": 1000.0}}

    assert progress(spec, steps, spent) == over
    assert progress({**spec, "gate": {}}, steps, spent) == min(steps / 100, 1)
