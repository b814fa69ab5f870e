"""The success-story criterion, by its formula, by hand, and by what it must not depend on."""

import json
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import Reply
from agents.editing.success_story import Point, Story, canonical, holds, rates, survivors
from agents.editors.random import Random
from agents.edits.identity import Identity
from agents.genome import Genome
from sandbox.catalogue import catalogue
from tests.agents.agent_states import a_view


@dataclass(frozen=True)
class Undo(Identity):
    """Stands in for the part folder's."""

    entry: int = 0
    genome: str = ""


EDITS = {"undo": Undo}


# --- the criterion -----------------------------------------------------------------------------


def test_the_rates_are_those_of_the_formula():
    """By hand: R(10) = 20; checkpoints at 4 with 4 and at 8 with 12."""
    stack, now = [Point(4, 4), Point(8, 12)], Point(10, 20)

    assert rates(stack, now) == (20 / 10, 16 / 6, 8 / 2)
    assert holds(stack, now)
    assert survivors(stack, now) == 2


def test_the_newest_goes_first_until_the_rest_holds():
    """At 10: 1.4 a unit in all, 2 since 5, 1 since 8: the last did not help, the first did."""
    stack, now = [Point(5, 4), Point(8, 12)], Point(10, 14)

    assert not holds(stack, now)
    assert survivors(stack, now) == 1
    assert survivors([Point(5, 4), Point(8, 13.9)], Point(10, 5)) == 0


def test_no_gain_is_no_success():
    """The inequality is strict: what changed nothing does not stay."""
    assert survivors([Point(5, 5)], Point(10, 10)) == 0
    assert survivors([Point(5, 5)], Point(10, 10.001)) == 1


def test_an_empty_stack_always_holds_and_no_time_judges_nothing():
    assert holds([], Point(1, -5))
    with pytest.raises(ValueError, match="no time has passed"):
        rates([Point(5, 1)], Point(5, 1))


wholes = st.integers(-9, 9).map(Fraction)
agent_runs = st.lists(
    st.tuples(st.integers(1, 9).map(Fraction), wholes, st.booleans()), min_size=1, max_size=25
)


def judged(agent_run):
    """Judge before every edit, as an editor does: the stacks and the moments of judgement."""
    now, stack = Point(Fraction(0), Fraction(0)), []
    for time, reward, edits in agent_run:
        now = Point(now.time + time, now.reward + reward)
        yield list(stack), now
        stack = stack[: survivors(stack, now)]
        if edits:
            stack = [*stack, now]


@given(agent_runs)
def test_an_editor_that_judges_before_every_edit_need_only_compare_the_two_newest_rates(agent_run):
    """If the rest held when the newest came, it holds as long as the newest does."""
    for stack, now in judged(agent_run):
        found = rates(stack, now)
        assert holds(stack, now) == (not stack or found[-2] < found[-1])


@given(agent_runs, st.integers(1, 50), st.integers(1, 50), st.integers(-20, 20))
def test_units_do_not_matter_nor_does_a_steady_wage(agent_run, time, reward, wage):
    def other(point):
        return Point(point.time * time, point.reward * reward + wage * point.time)

    for stack, now in judged(agent_run):
        assert survivors(stack, now) == survivors([other(each) for each in stack], other(now))


# --- time and reward ---------------------------------------------------------------------------


def story_of(returns, edits, costs=None, rule="success_story"):
    """Live through ``returns``; edit after the updates in ``edits``, judging before each.

    Returns what was proposed by update: None, "edit", or the entry undone.
    """
    story, made, flops = Story(rule, EDITS), [], 0.0
    for update in range(1, len(returns) + 1):
        flops += costs[update - 1] if costs else 10.0
        past = tuple(returns[:update])
        story.note(a_view(Genome(), update=update, returns=past, flops=flops))
        edit = story.undo() if update in edits else None
        if edit is None and update in edits and story.ready:
            edit = Identity()
        if edit is not None:
            story.receive(Reply(edit, applied=True, reason="", entry=update))
        made.append(None if edit is None else edit.entry if isinstance(edit, Undo) else "edit")
    return made, story


def test_what_gains_less_than_before_is_undone_and_what_gains_more_stays():
    made, story = story_of([1, 1, 1, 3, 3, 3, 2, 2], edits={3, 6, 8})

    assert made == [None, None, "edit", None, None, "edit", None, 6]
    assert [entry for entry, *_ in story.state()["standing"]] == [3]
    assert story.state()["undone"] == 1


def test_one_undo_takes_back_everything_that_failed():
    made, story = story_of([5, 5, 5, 5, 6, 0, 0, 0], edits={3, 5, 8})

    assert made[7] == 3
    assert story.state()["standing"] == []
    assert story.state()["undone"] == 2


def test_time_is_compute_so_a_costlier_run_must_gain_more():
    """The same returns at 2.5 times the price an update are less than half the rate."""
    returns, edits = [0, 1, 4, 4, 5, 5, 5, 5], {4, 8}
    cheap, _ = story_of(returns, edits)
    dear, _ = story_of(returns, edits, costs=[10.0] * 4 + [25.0] * 4)

    assert cheap[7] == "edit"
    assert dear[7] == 4


@given(st.floats(-100, 100), st.floats(0.1, 100))
def test_adding_to_all_returns_or_scaling_them_changes_nothing(shift, scale):
    returns = [1.0, 2.0, 2.5, 3.0, 2.0, 4.0, 7.0, 3.5, 1.0, 6.0, 6.5]
    edits, costs = {3, 5, 7, 9, 11}, [10, 10, 10, 30, 30, 30, 12, 12, 50, 20, 20]

    expected, _ = story_of(returns, edits, costs)

    assert story_of([shift + scale * each for each in returns], edits, costs)[0] == expected


def test_a_missing_return_repeats_the_last_and_the_story_begins_with_the_first():
    made, story = story_of([None, None, 2, None, 4, None], edits={1, 2, 3, 4, 6})
    same, _ = story_of([2, 2, 4, 4], edits={2, 4})

    assert made[:3] == [None] * 3  # nothing to judge by yet
    assert made[3:] == ["edit", None, "edit"] == same[1:]
    assert [each[1:] for each in story.state()["standing"]] == [[10.0, 1], [30.0, 3]]


def test_keep_all_keeps_all_and_waits_for_nothing():
    made, story = story_of([None, 9, 0, 0], edits={1, 3, 4}, rule="keep_all")

    assert made == ["edit", None, "edit", "edit"]
    assert story.state()["standing"] == []


def test_a_block_shares_the_checkpoint_of_its_first_edit():
    story = Story("success_story", EDITS)
    for update, value in enumerate([1, 2, 2, 2], 1):
        story.note(a_view(Genome(), update=update, returns=(value,), flops=10.0 * update))
        if update == 2:
            story.begin_block()
        if update >= 2:
            story.receive(Reply(Identity(), applied=update > 2, reason="", entry=update))

    assert [entry for entry, *_ in story.state()["standing"]] == [3]  # that of 2 was refused
    story.begin_block()
    story.receive(Reply(Identity(), applied=True, reason="", entry=9))
    assert [entry for entry, *_ in story.state()["standing"]] == [3, 9]


def test_an_undo_that_is_refused_leaves_its_edit_and_goes_on_with_the_next():
    story = Story("success_story", EDITS)
    for update, value in enumerate([5, 5, 5, 0, 0], 1):
        story.note(a_view(Genome(), update=update, returns=(value,), flops=10.0 * update))
        if update in (2, 3):
            story.receive(Reply(Identity(), applied=True, reason="", entry=update))
    first = story.undo()
    assert (first.entry, first.genome) == (2, canonical(Genome()))
    assert story.receive(Reply(first, applied=False, reason="not kept")) == ()

    second = story.undo()
    assert second.entry == 3
    assert story.receive(Reply(second, applied=True, reason="", entry=7)) == (3,)
    assert story.undo() is None
    assert story.state() == {"standing": [], "undone": 1, "stuck": 1}


@pytest.mark.parametrize(
    ("rule", "edits", "reason"),
    [("luck", EDITS, "rule is one of"), ("success_story", {}, "needs the edit 'undo'")],
)
def test_a_story_that_cannot_be_built_is_refused(rule, edits, reason):
    with pytest.raises(ValueError, match=reason):
        Story(rule, edits)


# --- the editor that does nothing else ---------------------------------------------------------


def test_random_draws_evenly_from_what_can_be_done_and_undoes_what_failed():
    parts = catalogue()
    edits = {name: parts.load("edits", name) for name in ("set_rule", "set_learning_rate")}
    live = Random(every_updates=2, edits=tuple(edits)).start(
        edits | {"undo": Undo}, np.random.default_rng(0)
    )
    names, returns = [], []
    for update in range(1, 400):
        returns.append(float(-update))  # nothing ever helps
        view = a_view(Genome(), update=update, returns=tuple(returns), flops=10.0 * update)
        edit = live.propose(view)
        if edit is not None:
            names.append(type(edit).__name__)
            live.receive(Reply(edit, applied=True, reason="", entry=update))

    counts = {name: names.count(name) for name in set(names)}
    assert abs(counts["SetRule"] - counts["SetLearningRate"]) < 40  # of 200; 4 sigma is 28
    assert counts["Undo"] >= counts["SetRule"] + counts["SetLearningRate"] - 1
    assert json.loads(json.dumps(live.state())) == live.state()
