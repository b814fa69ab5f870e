"""An editor that edits itself: what depth changes, what it may not change, what holds it back."""

import copy
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from agents.contract import RefusedEditError, Reply
from agents.editors.bandit import Bandit
from agents.editors.recursive import DEEPEST, SLOTS, Recursive
from agents.edits.identity import Identity
from agents.edits.set_editor import SetEditor
from agents.edits.set_rule import SetRule
from agents.edits.take_back import TakeBack
from agents.genome import Architecture, EditorGene, Genome
from sandbox.levers.recursion_depth import RecursionDepth
from sandbox.record import events
from sandbox.trial import loop
from tests.agents.agent_states import a_view, an_agent_state
from tests.sandbox.trial.test_loop import SPEC, Notes

EDITS = {"identity": Identity, "set_editor": SetEditor, "set_rule": SetRule, "take_back": TakeBack}


@dataclass
class AgentRun:
    """A stand-in for the laboratory: does every edit, keeps every genome."""

    editor: object
    genome: Genome
    made: list
    states: list

    def run(self, updates, reward_of=lambda genome, update: 0.0):
        returns, past = [], {}
        for update in range(updates):
            returns.append(float(reward_of(self.genome, update)))
            view = a_view(self.genome, update=update, returns=tuple(returns), flops=10.0 * update)
            edit = self.editor.propose(view)
            self.made.append(edit)
            self.states.append(self.editor.state())
            if edit is None:
                continue
            past[update] = self.genome
            after = edit.rewrite(self.genome)
            if after.editor != self.genome.editor:
                self.editor.adopt(Recursive(**after.editor.settings))
            self.genome = after
            assert self.editor.settings().gene() == after.editor
            self.editor.receive(Reply(edit, applied=True, reason="", entry=update))
        return self


def agent_run(updates=200, reward_of=lambda genome, update: 0.0, seed=0, **settings):
    mine = Recursive(**{"rule": "keep_all"} | settings)
    editor = mine.start(EDITS, np.random.default_rng(seed))
    return AgentRun(editor, Genome(editor=mine.gene()), [], []).run(updates, reward_of)


def levels(made):
    """Level of every proposal: 0 for the numbers, None for rest or none."""
    return [
        int(each.name[-1])
        if isinstance(each, SetEditor)
        else 0
        if isinstance(each, SetRule)
        else None
        for each in made
    ]


# --- all else is equal -------------------------------------------------------------------------


@pytest.mark.parametrize("depth", range(DEEPEST + 1))
def test_every_round_has_the_same_proposals_and_noise_at_every_depth(depth):
    flat, deep = agent_run(depth=0), agent_run(depth=depth)

    assert [each is None for each in flat.made] == [each is None for each in deep.made]
    assert [each["noise"] for each in flat.states] == [each["noise"] for each in deep.states]
    assert sum(each is not None for each in deep.made) == SLOTS * 25
    assert flat.editor.flops() == deep.editor.flops() > 0
    assert {each.cost(deep.genome) for each in deep.made if each is not None} == {0.0}
    expected = [None] + [k if k <= depth else None for k in (3, 2, 1)] + [0]
    assert levels(deep.made[8:16]) == [*expected, None, None, None]


def test_depth_zero_mutates_its_numbers_by_its_fixed_step():
    made = agent_run(depth=0, numbers=("learning_rate",)).made
    found = [each.numbers[0][1] for each in made if isinstance(each, SetRule)]
    steps = np.diff(np.log([1e-3, *found]))

    noises = np.random.default_rng(0).standard_normal(4 * len(found)).reshape(-1, 4)[:, 3]
    inside = [1e-6 < each < 1e-1 for each in found]
    assert steps[inside][:5] == pytest.approx(0.2 * noises[inside][:5])


def test_a_level_is_moved_by_the_step_above_it_as_it_is_by_then():
    """One round at depth 2: step_2 by step_3, step_1 by the new step_2, numbers by the new one."""
    ran = agent_run(updates=8, depth=2, numbers=("learning_rate",), bound=None)
    _, second, first, number = ran.states[0]["noise"]
    step_2 = 0.4 * np.exp(0.4 * second)
    step_1 = 0.2 * np.exp(step_2 * first)

    made = [each for each in ran.made if each is not None]
    assert made[2] == SetEditor("step_2", value=pytest.approx(step_2))
    assert made[3] == SetEditor("step_1", value=pytest.approx(step_1))
    rate = ran.genome.learning_rule.learning_rate
    assert rate == pytest.approx(1e-3 * np.exp(step_1 * number))


# --- what holds it back ------------------------------------------------------------------------


@pytest.mark.parametrize("bound", [1.0, 3.0])
def test_bounded_steps_stay_within_a_factor_of_their_start_and_free_ones_do_not(bound):
    def steps(**more):
        made = agent_run(updates=1600, depth=3, **more).made
        found = {name: [] for name in ("step_1", "step_2", "step_3")}
        for each in made:
            if isinstance(each, SetEditor):
                found[each.name].append(each.value / getattr(Recursive(), each.name))
        return found

    for found in steps(bound=bound).values():
        assert max(found) <= bound * (1 + 1e-12)
        assert min(found) >= 1 / bound * (1 - 1e-12)
    assert max(map(max, steps(bound=None).values())) > 3.0


def test_no_edit_moves_an_editor_in_use_beyond_its_bounds_or_its_depth():
    live = Recursive(depth=1).start(EDITS, np.random.default_rng(0))
    reason = r"only step_1 to step_3|stays in \[0.06667, 0.6\]"

    live.adopt(Recursive(depth=1, step_1=0.5))
    assert live.settings().step_1 == 0.5
    for bad in (
        Recursive(depth=1, step_1=0.7),
        Recursive(depth=2),
        Recursive(depth=1, bound=None),
        Recursive(depth=1, step_4=1.0),
        Bandit(),
    ):
        with pytest.raises(RefusedEditError, match=reason):
            live.adopt(bad)
    assert live.settings() == Recursive(depth=1, step_1=0.5)


def test_a_level_cools_down():
    every, third = (levels(agent_run(depth=2, cool_down=each).made) for each in (1, 3))

    assert third.count(0) == every.count(0) == 25
    assert (third.count(1), third.count(2)) == (9, 9)
    assert every.count(1) == 25


def test_what_does_not_help_is_undone_the_editor_s_own_edits_included():
    ran = agent_run(depth=3, rule="success_story", reward_of=lambda genome, update: -update)

    undone = [each for each in ran.made if isinstance(each, TakeBack)]
    assert len(undone) == len([each for each in ran.made if isinstance(each, SetRule)]) - 1
    assert len({each.genome for each in undone}) == 1  # always back to the start
    assert Genome.from_json(json.loads(undone[-1].genome)).editor == (
        Recursive(depth=3, rule="success_story").gene()
    )


def test_what_helps_stays_and_a_round_has_one_checkpoint():
    ran = agent_run(depth=3, rule="success_story", reward_of=lambda genome, update: update**2)

    assert not [each for each in ran.made if isinstance(each, TakeBack)]
    standing = [entry for entry, *_ in ran.states[-1]["story"]["standing"]]
    assert standing == list(range(8, 200, 8))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"depth": 4}, "depth is 0 to 3"),
        ({"depth": 1.0}, "depth is 0 to 3"),
        ({"every_updates": 4}, "every_updates is at least 5"),
        ({"cool_down": 0}, "cool_down is at least 1"),
        ({"step_2": 0.0}, "step_2 is 0.0001 to 10"),
        ({"bound": 0.5}, "bound is a factor from 1"),
        ({"numbers": ("discount",)}, "numbers knows"),
        ({"rule": "luck"}, "rule is one of"),
    ],
)
def test_settings_that_make_no_editor_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        Recursive(**settings).start(EDITS, np.random.default_rng(0))


# --- edits of an editor ------------------------------------------------------------------------

BANDIT = Genome(editor=Bandit(every_updates=8, window=4).gene())


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (SetEditor("exploration"), "either factor or value"),
        (SetEditor("exploration", factor=2.0, value=1.0), "either factor or value"),
        (SetEditor("exploration", factor=float("nan")), "bounded to"),
        (SetEditor("exploration", value=11.0), r"exploration is bounded to \[0.01, 10\], not 11"),
        (SetEditor("discount", factor=0.1), r"discount is bounded to \[0.5, 1\]"),
        (SetEditor("window", value=2), "lets only discount, every_updates, exploration be edited"),
        (SetEditor("edits", value=2), "no number 'edits'"),
        (SetEditor("bounds", value=2), "no number 'bounds'"),
        (SetEditor("every_updates", value=2), "window is 1 to every_updates=2"),
        (SetEditor("exploration", value="much"), "are numbers"),
    ],
)
def test_an_edit_of_the_editor_that_cannot_be_is_refused_in_one_line(edit, reason):
    with pytest.raises(RefusedEditError, match=reason) as refused:
        edit.rewrite(BANDIT)

    assert "\n" not in str(refused.value)


def test_only_editors_that_declare_bounds_can_be_edited():
    for name in ("fixed", "schedule"):
        with pytest.raises(RefusedEditError, match=r"no number 'every_updates'"):
            SetEditor("every_updates", value=2).rewrite(Genome(editor=EditorGene.of(name)))
    with pytest.raises(RefusedEditError, match="no editor is called 'missing'"):
        SetEditor("every_updates", value=2).rewrite(Genome(editor=EditorGene.of("missing")))
    assert SetEditor.candidates(a_view(Genome(editor=EditorGene.of("missing")))) == ()


def test_a_whole_setting_stays_whole_and_weights_stay():
    edit, agent_state = SetEditor("every_updates", factor=1.3), an_agent_state(BANDIT)
    after = edit.apply(agent_state, np.random.default_rng(0))

    assert after.genome.editor.settings["every_updates"] == 10
    assert after.parameters == agent_state.parameters
    assert after.genome == replace(BANDIT, editor=after.genome.editor)


def test_taking_back_restores_rule_and_editor_and_keeps_the_weights():
    text = json.dumps(BANDIT.to_json())
    agent_state = an_agent_state(Genome(), stepped=True)
    edited = SetRule((("learning_rate", 0.5),)).apply(agent_state, np.random.default_rng(0))

    after = TakeBack(3, text).apply(edited, np.random.default_rng(0))

    assert after.genome == BANDIT
    assert after.parameters == agent_state.parameters
    assert after.moments == agent_state.moments


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "not the JSON text of a genome"),
        ("nonsense", "not the JSON text of a genome"),
        (json.dumps(Genome(Architecture((), "relu")).to_json()), "architecture is another by now"),
        (json.dumps(Genome(objective=(("count", 1.0),)).to_json()), "objective is another by now"),
    ],
)
def test_what_settings_alone_cannot_bring_back_is_refused(text, reason):
    with pytest.raises(RefusedEditError, match=reason):
        TakeBack(3, text).rewrite(Genome())


# --- in the laboratory -------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [0, 3])
def test_a_trial_records_every_edit_of_the_editor_and_the_lever_sees_the_depth(depth):
    spec = copy.deepcopy({**SPEC, "probes": {}, "editor": {"recursive": {}}})
    spec["learner"]["ppo"] |= {"total_steps": 8 * 8 * 40, "num_envs": 8, "steps_per_update": 8}
    notes = Notes()
    loop.run_trial(RecursionDepth().apply(spec, depth), "x", notes)

    edited = notes.of(events.Edited)
    assert {each.audit for each in edited if each.applied} == {"confirmed"}
    assert all(each.applied or "undone" in each.reason for each in edited)
    assert [each for each in edited if each.part == "editor"] == [
        each for each in edited if each.edit == "set_editor"
    ]
    for dose in range(DEEPEST + 1):
        assert RecursionDepth().manipulation_check(notes.events, dose) == (dose == depth)
    last = [each for each in edited if each.applied][-1].genome["editor"]["settings"]
    assert (last != Recursive(depth=depth).gene().settings) == (depth > 0)


def test_a_depth_needs_the_recursive_editor_to_itself():
    check = RecursionDepth().check

    assert "only the editor 'recursive'" in check({"editor": {"bandit": {}}}, 1)
    assert "leave it to the lever" in check({"editor": {"recursive": {"depth": 2}}}, 0)
    assert "whole number from 0 to 3" in check({"editor": {"recursive": {}}}, 1.5)
    assert check({"editor": {"recursive": {}}}, 3) is None
