"""Known answers for what is done for others, and for what is left of it without a caregiver."""

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


def test_retention_compares_the_end_with_the_last_probe_that_the_caregiver_was_there():
    """It was last there in update 3, if only for a part of it; the probe of update 2 is the one."""
    measured = [(0, 0.0), (2, 8.0), (4, 6.0), (6, 2.0)]
    events = [*cared(1, 1, 0.4, 0, 0, 0), *(probed(u, for_other=d) for u, d in measured)]
    assert compute("retention", events) == Measurement(0.25, 8)
    other = [*cared(1, 1, 1, 1, 0, 0, control="reward_noise"), *events]
    assert compute("retention", other) == Measurement(0.25, 8)


@pytest.mark.parametrize(
    ("strengths", "measured"),
    [
        ((1, 1, 1, 1), [(2, 8.0), (4, 2.0)]),  # still there
        ((0, 0, 0, 0), [(2, 8.0), (4, 2.0)]),  # never there
        ((), [(2, 8.0), (4, 2.0)]),
        ((1, 0, 0, 0), [(2, 8.0), (4, 2.0)]),  # no probe in time
        ((1, 1, 0, 0), [(2, 0.0), (4, 2.0)]),  # nothing was done
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
    assert compute("retention", events) == Measurement(0.75, 8)
