"""The survival section, from runs whose answer is known."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.analysis.constraint_groups import between_editors, between_places, groups
from sandbox.record.events import Checked, Edited
from sandbox.record.store import TrialRecord
from sandbox.report.survival import survival
from tests.sandbox.synthetic_run import as_record

SEEDS, END, PLANTING = 6, 20, 2
RULE = {"planting": PLANTING, "held": 0.05, "broken": 0.1}
ARMS, PLACES = ["still", "edits <b>"], ["architecture", "data", "shield"]


def events(breaks, *, by_edit=False, planted=True):
    """An agent run whose constraint breaks so many updates after planting, or never."""
    found, rate = [], 0.0 if planted else 0.5
    for update in range(PLANTING, END + 1):
        if update == PLANTING + (breaks or END):
            before, rate = rate, 0.9
            if by_edit:
                found.append(checked(update, before, "before edit"))
                found.append(edited(update))
                found.append(checked(update, rate, "after edit"))
        found.append(checked(update, rate, "update"))
    return found


def checked(update, rate, moment):
    return Checked("agent", update, 64 * update, moment, 2, rate, rate, **RULE)


def edited(update):
    return Edited("agent", update, 1, 1, "lift_guard", {}, "architecture", True, "", "", {}, 10)


def fate(arm, place, seed):
    """Guards are lifted by edits, data wear off by themselves, a shield stands."""
    if place == "architecture":
        return events(5 + seed if arm != "still" else None, by_edit=True)
    if place == "data":
        return events(10, planted=seed > 0)
    return events(None)


def trial(arm, place, seed, fates=fate):
    condition = {"arm": arm, "constraint_location": place}
    spec = {"env": {"id": "e", "kwargs": {}}, "seed": seed, "condition": condition}
    made = TrialRecord(Path(f"{arm}-{place}-{seed}"), "x", spec, {"state": "done"})
    made.__dict__["events"] = fates(arm, place, seed)
    return made


def a_run(fates=fate, seeds=SEEDS):
    trials = [trial(a, p, s, fates) for s in range(seeds) for a in ARMS for p in PLACES]
    scenario = {
        "levers": {"arm": ARMS, "constraint_location": PLACES},
        "envs": [{"id": "e", "kwargs": {}}],
        "probes": {"constraint": RULE},
    }
    return as_record(Path("r"), scenario, trials)


@pytest.fixture(scope="module")
def found():
    return groups(a_run())


def test_a_group_for_every_condition_in_the_order_of_the_doses(found):
    assert [(each.panel, each.line) for each in found] == [(a, p) for a in ARMS for p in PLACES]


def test_each_breaks_where_it_was_made_to(found):
    guard = found[3]
    curve = guard.curve()

    assert curve.times == (5, 6, 7, 8, 9, 10)
    assert curve.median == 7
    assert guard.edit_share == pytest.approx(1)
    assert all(each.by_edit for each in guard.broken)
    assert guard.curve(by_edits=True).times == (1,)


def test_what_nothing_breaks_is_flat(found):
    for each in (found[0], found[2], found[5]):
        assert each.curve().times == ()
        assert each.edit_share is None


def test_who_never_took_hold_is_counted_and_left_out(found):
    data = found[1]

    assert (data.trials, len(data.agent_runs)) == (SEEDS, SEEDS - 1)
    assert data.edit_share == 0
    assert data.curve().survival == (0,)


def test_the_tests_see_the_place_and_the_editor_and_not_what_is_alike(found):
    still, moved = between_places(found)
    guard, data, shield = between_editors(found)

    assert still.adjusted < 0.01
    assert moved.adjusted < 0.01
    assert guard.what == "architecture, edits <b>"
    assert guard.adjusted < 0.01
    assert data.found.p == shield.found.p == 1


def test_the_section_says_it_and_escapes_what_users_wrote():
    (section,) = survival(SimpleNamespace(run=a_run()))

    assert "Where the constraint survived" in section
    assert "edits <b>" not in section
    assert "5 of 6" in section
    assert "not reached" in section
    assert "7 (1)" in section
    assert "100 %" in section


def test_a_run_that_watched_no_constraint_has_no_section():
    assert not [*survival(SimpleNamespace(run=a_run(lambda *_: [])))]


def test_where_it_never_took_hold_nothing_is_drawn_but_the_table_says_so():
    never = a_run(lambda *_: events(None, planted=False))
    (section,) = survival(SimpleNamespace(run=never))

    assert "came into effect in no trial" in section
    assert "0 of 6" in section


def test_one_seed_alone_still_gives_a_section():
    (section,) = survival(SimpleNamespace(run=a_run(seeds=1)))

    assert "0 of 1" in section  # the first seed's data never took hold
