"""Who descends from whom: line and branches of a tree of agent states, grown edit by edit."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.record.descent import Descent
from sandbox.record.ledger_view import Book
from sandbox.record.lineage import lineages
from tests.sandbox.record.test_lineage import edited, started

SHAPES = st.lists(st.integers(0, 100), max_size=12)
"""Of each new agent state: which of those before it is its parent."""


def grown(shape):
    agent_states = Descent(0, {}, 0)
    for entry, pick in enumerate(shape, start=1):
        agent_states = agent_states.grown(entry, pick % entry)
    return agent_states


def test_what_was_undone_hangs_off_the_line():
    agent_states = grown([0, 1, 2, 1])
    assert agent_states.line() == (0, 1, 4)
    assert list(agent_states.up(3)) == [3, 2, 1, 0]
    assert [agent_states.children(k) for k in range(5)] == [(1,), (2, 4), (3,), (), ()]


@given(SHAPES)
def test_every_agent_state_but_the_first_is_the_child_of_one_and_every_way_up_ends_at_the_first(
    shape,
):
    agent_states = grown(shape)
    every = range(len(shape) + 1)
    assert sorted(each for k in every for each in agent_states.children(k)) == list(every)[1:]
    assert all(list(agent_states.up(k))[-1] == 0 for k in every)
    assert agent_states.line() == tuple(agent_states.up(len(shape)))[::-1]


def test_ledger_and_events_of_one_run_grow_the_same_tree():
    """Widened twice, the second taken back, one refused, widened again."""
    events = [started(), edited(2, 2), edited(3, 3), edited(4, 2, "undo", entry=3),
              edited(5, 9, applied=False), edited(6, 4)]  # fmt: skip
    (agent_run,) = lineages(events)
    parents = agent_run.descent().parents
    assert parents == {2: 0, 3: 2, 4: 2, 6: 4}
    assert agent_run.line() == (0, 2, 4, 6)

    written = [{"kind": "start", "agent": "agent", "entry": 1}]
    written += [
        {"kind": "proposal", "agent": "agent", "entry": k, "parent": parents[k] or 1,
         "edit": "widen", "applied": True}
        for k in parents
    ]  # fmt: skip
    drawn = list(Book(None, tuple(written)).graph())
    assert drawn == ["● 1 start", "● 2 widen", "├──○ 3 widen, undone", "● 4 widen", "● 6 widen"]
    assert agent_run.after(5).genome == events[4].genome
