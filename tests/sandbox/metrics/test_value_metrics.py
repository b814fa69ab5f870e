"""Known answers for the metrics of learned values, from hand-written events."""

import pytest

from sandbox.analysis.learned_values import value_histories
from sandbox.catalogue import catalogue
from sandbox.record.events import Chosen, Measured

NAMES = ("fidelity", "regret", "drift_step", "drift_net", "path_ratio", "half_life")


def measured(update, moment="update", agent="agent", **values):
    return Measured(agent, "values", update, update, moment, values)


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
    assert compute("half_life", RUN).value == pytest.approx((5 - 3) / (8 - 3))


def test_a_half_life_longer_than_the_trial_is_censored_at_1():
    events = [measured(3, net=0.0, fidelity=0.8), measured(7, step=0.1, net=0.1, fidelity=0.41)]

    assert compute("half_life", events).value == 1
    assert compute("half_life", events).n == 4


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
