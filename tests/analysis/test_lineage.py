"""Lineages: what is in force, what was undone, and that the pictures tell of it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.events import Edited, TrialStarted
from sandbox.lineage import BIRTH, behaviour_changes, lineages


def genome(units):
    return {
        "architecture": {"layers": [{"kind": "dense", "units": units}], "activation": "tanh"},
        "learning_rule": {"learning_rate": 0.001},
        "objective": {"extrinsic": 1.0},
        "editor": {"name": "bandit", "settings": {}},
    }


def born(*agents):
    agents = agents or ("agent",)
    return TrialStarted("t", "e", 0, {}, agents, {}, dict.fromkeys(agents, genome(1)))


def edited(number, units, edit="widen", applied=True, agent="agent", **settings):
    reason = "" if applied else "over budget"
    audit = "confirmed" if applied else ""
    return Edited(agent, number, number * 100, number, edit, settings, "architecture", applied,
                  reason, audit, genome(units), units)  # fmt: skip


def one(*edits):
    (found,) = lineages([born(), *edits])
    return found


def test_a_life_without_proposals_is_its_birth():
    life = one()

    assert life.birth is life.end
    assert life.line() == (BIRTH,)
    assert lineages([]) == []


def test_rejected_proposals_are_leaves():
    life = one(edited(1, 2), edited(2, 2, applied=False), edited(3, 4))

    assert life.line() == (0, 1, 3)
    assert [each.parent for each in life.nodes] == [0, 0, 1, 1]
    assert [each.entry for each in life.moments()] == [0, 1, 3]


def test_undo_branches_off_before_what_it_takes_back():
    life = one(edited(1, 2), edited(2, 3), edited(3, 4), edited(4, 2, "undo", entry=2),
               edited(5, 9))  # fmt: skip

    assert life.line() == (0, 1, 4, 5)
    assert [each.undone_by for each in life.nodes] == [None, None, 4, 4, None, None]
    assert life.nodes[4].before == 3
    assert [each.genome for each in life.moments()] == [genome(n) for n in (1, 2, 3, 4, 2, 9)]


def test_an_undo_can_be_undone():
    life = one(edited(1, 2), edited(2, 1, "undo", entry=1), edited(3, 2, "undo", entry=2))

    assert life.line() == (0, 1, 3)
    assert [each.undone_by for each in life.nodes] == [None, None, 3, None]


@pytest.mark.parametrize("entry", [7, 2, 0, None])
def test_an_undo_of_what_was_never_done_changes_no_line(entry):
    life = one(edited(1, 2), edited(2, 2, applied=False), edited(3, 2, "undo", entry=entry))

    assert life.line() == (0, 1, 3)
    assert all(each.undone_by is None for each in life.nodes)


def test_a_refused_undo_takes_nothing_back():
    life = one(edited(1, 2), edited(2, 2, "undo", applied=False, entry=1))

    assert life.line() == (0, 1)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=12))
def test_the_line_replays_the_minds(draws):
    """Held against a laboratory that keeps the mind before each edit, as the real one does."""
    mind, past, told = (1,), {}, [born()]
    for entry, draw in enumerate(draws, start=1):
        past[entry] = mind
        if draw in past and draw != entry:
            mind = past[draw]
            told.append(edited(entry, mind[-1], "undo", entry=draw))
        else:
            mind = (*mind, 100 + entry)
            told.append(edited(entry, mind[-1]))
    (life,) = lineages(told)

    by_entry = {each.entry: each for each in life.nodes}
    line = [by_entry[entry] for entry in life.line()]
    made = [each for each in line if each.edit != "undo"]
    assert tuple(each.genome["architecture"]["layers"][0]["units"] for each in made) == mind
    assert life.end.genome == genome(mind[-1])
    assert {e.entry for e in life.nodes if e.undone_by is None} == set(life.line())


def test_each_agent_has_a_lineage_of_its_own():
    told = [born("a", "b"), edited(1, 2, agent="b"), edited(2, 3, agent="a")]

    assert [(each.agent, each.line()) for each in lineages(told)] == [("a", (0, 2)), ("b", (0, 1))]


def test_the_mind_at_an_update():
    life = one(edited(3, 2), edited(7, 4))

    assert [life.at(update).entry for update in (0, 2, 3, 6, 7, 99)] == [0, 0, 3, 3, 7, 7]


def test_kl_comes_from_the_ledger_if_there_is_one(tmp_path):
    lines = [{"entry": 1, "behaviour": {"mean_kl": 0.25}}, {"entry": 2, "behaviour": None}]
    assert behaviour_changes(tmp_path) == {}
    (tmp_path / "ledger.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines) + "[\n3\n")
    kls = behaviour_changes(tmp_path)
    (life,) = lineages([born(), edited(1, 2)], kls)

    assert kls == {1: 0.25}
    assert [each.kl for each in life.nodes] == [None, 0.25]
