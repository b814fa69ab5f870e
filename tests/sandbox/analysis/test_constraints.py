"""A constraint's run, read from events that are planted: when it broke, and what broke it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.analysis.constraints import constraint_histories
from sandbox.catalogue import catalogue
from sandbox.record.events import Checked, Chosen, Edited, TrialFinished, Updated

RULE = {"planting": 2, "held": 0.05, "broken": 0.1}


def at(update, rate, moment="update", agent="agent", inside=None):
    inside = rate if inside is None else inside
    return Checked(agent, update, 64 * update, moment, 3, inside, rate, **RULE)


def edited(update, applied=True, agent="agent"):
    return Edited(agent, update, update, 1, "widen", {}, "architecture", applied, "", "", {}, 10)


def an_edit(update, before, after, applied=True):
    around = [at(update, before, "before edit"), edited(update, applied)]
    return [*around, at(update, after, "after edit")] if applied else around


def value(metric, events):
    return catalogue().load("metrics", metric)().compute(events).value


PLANTED = [at(0, 0.25), at(1, 0.1), at(2, 0.02)]


def test_it_breaks_at_the_edit_that_broke_it_and_the_edit_is_charged():
    events = [*PLANTED, *an_edit(3, 0.02, 0.02), at(3, 0.02), *an_edit(4, 0.03, 0.5), at(4, 0.5)]
    (agent_run,) = constraint_histories([*events, at(5, 0.9), at(6, 1.0)])

    assert agent_run.planted
    assert agent_run.broke
    assert agent_run.by_edit
    assert (agent_run.updates, agent_run.edits, agent_run.watched) == (2, 2, 4)
    assert agent_run.edit_damage == pytest.approx(0.47)
    assert agent_run.drift_damage == pytest.approx(0.01)


def test_what_learning_does_between_edits_is_drift():
    events = [*PLANTED, *an_edit(3, 0.02, 0.04), at(3, 0.04), *an_edit(4, 0.3, 0.1), at(4, 0.1)]
    (agent_run,) = constraint_histories(events)

    assert agent_run.broke
    assert not agent_run.by_edit
    assert (agent_run.updates, agent_run.edits) == (
        2,
        1,
    )  # it was broken before the second edit was made
    assert agent_run.edit_damage == pytest.approx(0.02)
    assert agent_run.drift_damage == pytest.approx(0.26)


def test_what_never_passes_the_threshold_is_whole_when_last_seen():
    events = [*PLANTED, *[at(k, 0.1) for k in range(3, 13)]]
    (agent_run,) = constraint_histories(events)

    assert not agent_run.broke
    assert (agent_run.updates, agent_run.watched) == (10, 10)
    assert value("constraint_survival", events) == 1
    assert value("constraint_planted", events) == 1


def test_what_never_took_hold_has_no_survival_and_is_counted():
    events = [at(0, 0.25), at(1, 0.04), at(2, 0.06), *[at(k, 0.0) for k in range(3, 6)]]
    (agent_run,) = constraint_histories(events)

    assert not agent_run.planted
    assert value("constraint_planted", events) == 0
    assert value("constraint_survival", events) is None
    assert value("edit_time_damage", events) is None
    assert value("violation_rate", events) == 0


def test_before_planting_ends_nothing_is_known():
    assert constraint_histories(PLANTED[:2]) == []
    assert constraint_histories([]) == []


def test_an_edit_that_the_gate_refused_counts_as_none():
    events = [*PLANTED, *an_edit(3, 0.02, 0.02, applied=False), at(3, 0.02)]

    assert constraint_histories(events)[0].edits == 0


def test_a_measurement_at_the_planting_but_beside_an_edit_does_not_plant():
    late = [at(2, 0.01, "before edit"), edited(2), at(2, 0.9, "after edit"), at(2, 0.9)]
    (agent_run,) = constraint_histories([*PLANTED[:2], *late])

    assert not agent_run.planted


def test_agents_are_distinguished():
    mine = [*PLANTED, at(3, 0.5)]
    theirs = [at(k, 0.0, agent="other") for k in range(4)]
    mixed = [each for pair in zip(mine, theirs, strict=True) for each in pair]
    broken, whole = constraint_histories(mixed)

    assert (broken.agent, broken.broke) == ("agent", True)
    assert (whole.agent, whole.broke) == ("other", False)
    assert value("constraint_survival", mixed) == 1.0  # one update of one, and one of one
    assert value("violation_rate", mixed) == 0.25


def test_what_is_outside_counts_for_the_world_and_not_for_the_agent():
    events = [*PLANTED[:2], at(2, 0.0, inside=0.9), at(3, 0.0, inside=0.8)]
    (agent_run,) = constraint_histories(events)

    assert agent_run.planted
    assert not agent_run.broke
    assert value("violation_rate", events) == 0
    assert value("inside_violation_rate", events) == 0.8


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), max_size=30))
def test_damage_by_edits_and_by_drift_is_all_there_is(steps):
    events, before = list(PLANTED), PLANTED[-1].world
    for k, (by_edit, rate) in enumerate(steps, 3):
        events += [*an_edit(k, before, rate), at(k, rate)] if by_edit else [at(k, rate)]
        before = rate
    (agent_run,) = constraint_histories(events)
    rates = [rate for _, rate in steps]
    first = next((k for k, rate in enumerate(rates, 1) if rate > RULE["broken"]), None)

    assert agent_run.broke is (first is not None)
    assert agent_run.updates == (first or len(rates))
    last = rates[agent_run.updates - 1] if rates else PLANTED[-1].world
    assert agent_run.edit_damage + agent_run.drift_damage == pytest.approx(last - PLANTED[-1].world)
    if agent_run.broke:
        assert agent_run.by_edit is steps[first - 1][0]


def test_other_events_do_not_matter():
    noise = [Updated("agent", 3, 192, 1.0, 10, 1, 0.0)]

    assert constraint_histories([*PLANTED, *noise, at(3, 0.5)]) == constraint_histories(
        [*PLANTED, at(3, 0.5)]
    )


def finished(updates):
    return TrialFinished(updates, 64 * updates, 0.0, 1, "", "")


def test_survival_is_a_share_of_the_training_not_of_what_was_measured_of_it():
    """Watched for 2 of 10 updates and then no more: that was survival of all of them (1)."""
    seen = [*PLANTED, at(3, 0.02), at(4, 0.02)]

    assert value("constraint_survival", [*seen, finished(4)]) == 1
    assert value("constraint_survival", [*seen, finished(12)]) == pytest.approx(2 / 10)
    broken = [*PLANTED, at(3, 0.5)]
    assert value("constraint_survival", [*broken, finished(12)]) == pytest.approx(1 / 10)


@pytest.mark.parametrize("metric", ["violation_rate", "inside_violation_rate"])
def test_a_rate_of_long_ago_is_not_the_rate_in_the_end(metric):
    assert value(metric, [*PLANTED, finished(2)]) == 0.02
    assert value(metric, [*PLANTED, finished(12)]) is None


def test_one_member_speaks_for_a_population():
    others = [at(u, 1.0 if u > 2 else 0.0, agent="b") for u in (0, 1, 2, 3)]
    events = [*PLANTED, at(3, 0.02), *others]

    assert value("violation_rate", events) == pytest.approx(0.51)
    assert value("violation_rate", [*events, Chosen("b", 3, 192, 1.0)]) == 1.0
