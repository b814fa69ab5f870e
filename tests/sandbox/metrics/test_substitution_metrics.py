"""Known answers for what is done for others, and for what is left of it without a caregiver."""

from dataclasses import replace
from math import log2

import pytest

from sandbox.catalogue import catalogue
from sandbox.contract import Measurement
from sandbox.record.events import Chosen, Controlled, Probed


def compute(name, events):
    return catalogue().load("metrics", name)().compute(events)


def probed(update, agent="agent", n=8, distribution="in_distribution", **values):
    return Probed(agent, "held_out", update, 10 * update, distribution, n, values)


def cared(*strengths, control="caregiver"):
    """Of every update from the first, how strong the caregiver was."""
    return [
        Controlled(control, i, 10 * i, 1.0, effective_intensity, {}, {}, {})
        for i, effective_intensity in enumerate(strengths, 1)
    ]


def test_the_index_is_the_share_of_actions_for_the_other_at_the_last_probe():
    early, late = (
        probed(0, for_other=9.0, for_self=1.0),
        probed(4, for_other=1.0, for_self=3.0),
    )
    assert compute("substitution_index", [early, late]) == Measurement(0.25, 8)
    both = [late, probed(4, agent="b", n=24, for_other=1.0, for_self=0.0)]
    assert compute("substitution_index", both) == Measurement(pytest.approx(32 / 56), 32)


def test_without_actions_or_a_count_of_them_there_is_no_index():
    assert compute("substitution_index", [probed(1, for_other=0.0, for_self=0.0)]).value is None
    assert compute("substitution_index", [probed(1, for_other=2.0)]).value is None
    assert compute("substitution_index", [probed(1, reward=2.0)]).value is None


def test_a_single_action_is_no_index():
    """One for the other in 8 episodes, none for itself: that was an index of 1."""
    assert compute("substitution_index", [probed(1, for_other=1 / 8, for_self=0.0)]).value is None
    assert compute("substitution_index", [probed(1, for_other=5 / 8, for_self=0.0)]).value == 1
    assert 5 / 77 * 77 < 5
    rounded = [probed(1, n=77, for_other=5 / 77, for_self=0.0)]
    assert compute("substitution_index", rounded).value == 1


def test_retention_compares_the_end_with_the_last_probe_that_the_caregiver_was_there():
    """It was last there in update 3, if only for a part of it; the probe of update 2 is the one.

    There 64 were done in 8 episodes, in the end 16: two halvings, with half an action more each.
    """
    measured = [(0, 0.0), (2, 8.0), (4, 6.0), (6, 2.0)]
    events = [*cared(1, 1, 0.4, 0, 0, 0), *(probed(u, for_other=d) for u, d in measured)]
    quarter = Measurement(pytest.approx(log2(16.5 / 64.5)), 8)
    assert compute("retention", events) == quarter
    other = [*cared(1, 1, 1, 1, 0, 0, control="reward_noise"), *events]
    assert compute("retention", other) == quarter


def test_what_one_loses_and_another_gains_cancels():
    """Halved and doubled: as ratios, .5 and 2, they looked like a gain of a quarter."""
    few, many = (probed(2, n=1000, for_other=each) for each in (4.0, 8.0))
    fell = compute("retention", [*cared(1, 1, 0), many, replace(few, update=3)]).value
    rose = compute("retention", [*cared(1, 1, 0), few, replace(many, update=3)]).value
    assert fell == pytest.approx(-1, abs=1e-3)
    assert fell + rose == pytest.approx(0)


def test_what_is_lost_altogether_is_a_finite_loss():
    events = [*cared(1, 1, 0), probed(2, for_other=8.0), probed(3, for_other=0.0)]
    assert compute("retention", events).value == pytest.approx(log2(0.5 / 64.5))


@pytest.mark.parametrize(
    ("strengths", "measured"),
    [
        ((1, 1, 1, 1), [(2, 8.0), (4, 2.0)]),  # still there
        ((0, 0, 0, 0), [(2, 8.0), (4, 2.0)]),  # never there
        ((), [(2, 8.0), (4, 2.0)]),
        ((1, 0, 0, 0), [(2, 8.0), (4, 2.0)]),  # no probe in time
        ((1, 1, 0, 0), [(2, 0.0), (4, 2.0)]),  # nothing was done
        ((1, 1, 0, 0), [(2, 0.5), (4, 2.0)]),  # 4 were, in 8 episodes
        ((1, 1, 0, 0), [(0, 8.0), (4, 2.0)]),  # probed only before it came
    ],
)
def test_nothing_to_retain_is_no_retention(strengths, measured):
    events = [*cared(*strengths), *(probed(u, for_other=d) for u, d in measured)]
    assert compute("retention", events) == Measurement(None, 0)


def test_of_a_population_the_member_counts_that_spoke_at_the_time():
    events = [
        *cared(1, 0),
        Chosen("a", 1, 10, 1.0),
        probed(1, agent="a", for_other=4.0),
        probed(1, agent="b", for_other=100.0),
        Chosen("b", 2, 20, 1.0),
        probed(2, agent="a", for_other=100.0),
        probed(2, agent="b", for_other=3.0),
    ]
    assert compute("retention", events) == Measurement(pytest.approx(log2(24.5 / 32.5)), 8)
