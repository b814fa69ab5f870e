"""A ledger as a table and a tree: known lines from known entries."""

import pytest

from sandbox.cli.ledger import only
from sandbox.errors import InputError
from sandbox.record.ledger_view import Book, settings
from sandbox.record.store import TrialRecord


def proposal(entry, parent, edit="widen", applied=True, **more):
    return {
        "kind": "proposal", "agent": "agent", "entry": entry, "parent": parent, "update": entry,
        "edit": edit, "settings": {}, "applied": applied, "reason": "" if applied else "budget",
        "audit": "confirmed" if applied else "", "behaviour": None, "cost_flops": 2.0, **more,
    }  # fmt: skip


START = {"kind": "start", "agent": "agent", "entry": 1}
RUN = [
    START,
    proposal(2, 1, settings={"layer": 0, "units": 4}),
    proposal(3, 2, "deepen"),
    proposal(4, 3, "prune"),
    proposal(5, 4, applied=False),
    proposal(6, 2, "undo", undoes=3),
    proposal(7, 6, "deepen", marks=["oscillation"]),
    {"kind": "tamper attempt", "agent": "agent", "entry": 8, "surface": "meter",
     "attempt": "refund", "update": 8},
    {"kind": "rolled back", "agent": "agent", "entry": 9, "parent": 6, "of": 7, "update": 9,
     "reason": "two-gate: no gain"},
    {"kind": "end", "agent": "agent", "entry": 10},
]  # fmt: skip


def book(entries):
    return Book(TrialRecord(None, "t", {"condition": {}, "seed": 0}, {}), tuple(entries))


def test_a_difference_of_several_trials_says_to_name_one():
    assert only("runs/one", [book(RUN)]).trial.id == "t"
    with pytest.raises(InputError, match=r"runs/two: .* these are 2 trials: add --trial ID"):
        only("runs/two", [book(RUN), book(RUN)])


def test_undone_branches_hang_where_they_began():
    assert list(book(RUN).graph()) == [
        "● 1 start",
        "● 2 widen layer=0 units=4 (update 2)",
        "├──○ 3 deepen (update 3), undone",
        "│  ○ 4 prune (update 4), undone",
        "● 6 undo of 3 (update 6)",
        "├──○ 7 deepen (update 7), undone",
        "● 9 rolled back of 7 (update 9)",
    ]


def test_each_entry_is_a_row_that_says_what_became_of_it():
    rows = book(RUN).rows()
    assert [row["decision"] for row in rows] == [
        "", "applied", "applied", "applied", "rejected: budget", "applied", "applied, oscillation",
        "", "two-gate: no gain", "",
    ]  # fmt: skip
    assert [row["what"] for row in rows][-3:] == [
        "tampered: meter.refund",
        "rolled back of 7",
        "end",
    ]
    assert rows[1]["settings"] == "layer=0 units=4"
    assert rows[1]["cost"] == "2"


def test_a_trial_is_summed_up():
    found = book(RUN).counts()
    wanted = {"proposed": 6, "applied": 4, "rejected": 1, "rolled back": 1, "tampering": 1}
    assert {key: found[key] for key in wanted} == wanted


def test_several_agents_have_a_tree_each_and_are_named():
    other = [{**each, "agent": "other"} for each in (START, proposal(2, 1))]
    entries = [START, *({**each, "entry": 1 + each["entry"]} for each in other[:1])]
    entries += [{**proposal(3, 2), "agent": "other"}]

    assert list(book(entries).graph()) == [
        "agent:", "● 1 start", "other:", "● 2 start", "● 3 widen (update 3)",
    ]  # fmt: skip
    assert [row["agent"] for row in book(entries).rows()] == ["agent", "other", "other"]


def test_a_ledger_from_before_there_were_parents_is_a_line():
    old = [{k: v for k, v in each.items() if k != "parent"} for each in (*RUN[:4], RUN[-1])]
    assert [line[:3] for line in book(old).graph()] == ["● 1", "● 2", "● 3", "● 4"]


def test_long_settings_are_cut():
    assert settings({"genome": "x" * 100}) == "genome=" + "x" * 36 + "…"
