"""Known answers for the metrics of learned values, from hand-written events."""

import pytest

from sandbox.analysis.learned_values import CHANCE, value_histories
from sandbox.catalogue import catalogue
from sandbox.record.events import Chosen, Measured, TrialFinished

NAMES = ("fidelity", "regret", "drift_step", "drift_net", "path_ratio", "half_life")


def measured(update, moment="update", agent="agent", **values):
    return Measured(agent, "values", update, update, moment, values)


def finished(updates):
    return TrialFinished(updates, updates, 0.0, 1, "", "")


def compute(name, events):
    return catalogue().load("metrics", f"value_{name}")().compute(events)


RUN = [
    measured(0),  # believes one thing of everything
    measured(1, fidelity=0.2, regret=1.5),
    measured(2, step=0.9, fidelity=0.7, regret=0.8),
    measured(3, step=0.6, net=0.0, fidelity=0.8, regret=0.1),  # here drift begins to count
    measured(4, "before edit", step=0.0, net=0.0, fidelity=0.8, regret=0.1),
    measured(4, "after edit", step=0.3, net=0.3, fidelity=0.5, regret=0.3),
    measured(4, step=0.0, net=0.3, fidelity=0.5, regret=0.3),
    measured(5, "before edit", step=0.1, net=0.35, fidelity=0.45, regret=0.4),
    measured(5, "after edit", step=0.2, net=0.4, fidelity=0.4, regret=0.5),
    measured(8, step=0.2, net=0.2, fidelity=0.6, regret=0.2),
]


def test_a_run_by_hand():
    assert compute("fidelity", RUN).value == 0.6
    assert compute("regret", RUN).value == 0.2
    assert compute("drift_step", RUN).value == pytest.approx(0.25)
    assert compute("drift_step", RUN).n == 2, "two edits"
    assert compute("drift_net", RUN).value == 0.2
    assert compute("path_ratio", RUN).value == pytest.approx(0.2 / 0.8)
    # .507 above chance at first, half of it is left at .546
    assert compute("half_life", RUN).value == pytest.approx((4 - 3) / (8 - 3))


def test_a_half_life_longer_than_the_trial_is_censored_at_1():
    events = [measured(3, net=0.0, fidelity=0.8), measured(7, step=0.1, net=0.1, fidelity=0.55)]

    assert compute("half_life", events).value == 1
    assert compute("half_life", events).n == 4


@pytest.mark.parametrize("begun", [0.0, 0.1, CHANCE])
def test_what_was_never_known_cannot_be_lost(begun):
    """No better than an unrelated belief: its half-life was the whole trial (1)."""
    events = [measured(3, net=0.0, fidelity=begun), measured(7, step=0.1, net=0.1, fidelity=0.09)]

    assert compute("half_life", events).value is None


def test_half_of_what_is_known_is_half_of_what_chance_does_not_give():
    """All of it is lost at .293; half of .5 is less than that, so it seemed to be kept (1)."""
    lost = [measured(3, net=0.0, fidelity=0.5), measured(5, fidelity=CHANCE), measured(7)]

    assert compute("half_life", lost).value == pytest.approx(2 / 4)


@pytest.mark.parametrize("name", ["fidelity", "regret", "drift_net", "path_ratio"])
def test_what_was_believed_before_is_not_what_is_believed_in_the_end(name):
    """An edit took the belief away in update 6: nothing is measured after it."""
    events = [measured(3, step=0.0, net=0.1, fidelity=0.8, regret=0.1)]
    events.append(measured(6, step=0.2, net=0.1, fidelity=0.8, regret=0.1))

    assert compute(name, [*events, finished(6)]).value is not None
    assert compute(name, [*events, finished(20)]).value is None


def test_a_half_life_is_a_share_of_the_training_not_of_what_was_measured_of_it():
    events = [measured(3, net=0.0, fidelity=0.8), measured(5, fidelity=0.5)]

    assert compute("half_life", [*events, finished(5)]).value == 1
    assert compute("half_life", [*events, finished(23)]).value == pytest.approx(2 / 20)
    kept = [events[0], measured(13, fidelity=0.8), finished(23)]
    assert compute("half_life", kept).value == pytest.approx(10 / 20), "as far as is known"


def test_pursuit_is_of_the_policy_in_the_end():
    events = [measured(0, net=0.0, pursuit=0.5), measured(5, net=0.1), finished(5)]

    assert compute("pursuit", events).value is None
    assert compute("pursuit", [*events[:1], finished(0)]).value == 0.5


def test_a_belief_that_finds_all_steps_alike_keeps_nothing():
    """Then no fidelity is reported: that is not as if nothing had been lost."""
    events = [measured(3, net=0.0, fidelity=0.8), measured(4, step=0.9), measured(7, step=0.0)]

    assert compute("half_life", events).value == pytest.approx(1 / 4)


def test_a_belief_that_never_moves_has_no_path_and_no_drift():
    events = [measured(3, net=0.0, fidelity=0.8), measured(4, "after edit", step=0.0, net=0.0)]

    assert compute("path_ratio", events).value is None
    assert compute("drift_step", events).value == 0
    assert compute("drift_net", events).value == 0


@pytest.mark.parametrize("name", NAMES)
def test_before_drift_counts_nothing_is_measured(name):
    assert compute(name, RUN[:3]).value is None
    foreign = Measured("agent", "empowerment_map", 9, 9, "update", {"net": 0.5, "fidelity": 0.5})
    assert compute(name, [foreign]).value is None


def test_agents_are_averaged_and_a_population_is_spoken_for():
    other = [
        measured(3, agent="b", net=0.0, fidelity=0.5),
        measured(4, agent="b", step=0.6, net=0.6, fidelity=0.2),
    ]

    assert compute("drift_net", RUN + other).value == pytest.approx(0.4)
    spoken = [*RUN, *other, Chosen("b", 4, 4, 1.0)]
    assert [each.agent for each in value_histories(spoken)] == ["b"]
    assert compute("drift_net", spoken).value == 0.6


def test_rounding_beyond_the_triangle_inequality_is_cut():
    step = 0.1 + 0.2
    events = [
        measured(0, net=0.0),
        measured(1, step=0.1, net=0.1),
        measured(2, step=0.2, net=step),
        measured(3, step=0.0, net=0.3 + 4e-16),
    ]

    assert compute("path_ratio", events).value == 1
