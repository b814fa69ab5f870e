"""Restarts, and the random search that uses them: a planted best is found, at its price."""

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.architecture.initial import initial_parameters
from agents.contract import RefusedEditError, Reply
from agents.editors.random_search import RandomSearch
from agents.edits.restart import Restart
from agents.edits.undo import Undo
from agents.genome import Architecture, Genome, Layer, LearningRule, TableRule
from tests.agents.agent_states import ACTIONS, OBSERVATION, a_view, an_agent_state, same

EDITS = {"restart": Restart, "undo": Undo}


# --- restart -----------------------------------------------------------------------------------


def test_a_restart_initialises_the_new_genome():
    agent_state = an_agent_state(Genome(), dtype=np.float32)
    edit = Restart(numbers=(("learning_rate", 0.01), ("epochs", 2)), trunk=(7, 5))

    after = edit.apply(agent_state, np.random.default_rng(4))
    initial = initial_parameters(after.genome, OBSERVATION, ACTIONS, np.random.default_rng(4))

    assert after.genome.learning_rule == replace(LearningRule(), learning_rate=0.01, epochs=2)
    assert after.genome.architecture.widths() == (7, 5)
    assert not after.moments
    assert after.parameters.keys() == initial.keys()
    assert all(np.array_equal(after.parameters[name], initial[name]) for name in initial)


def test_with_nothing_given_the_same_agent_is_initialised_again():
    genome = Genome(Architecture((Layer("dense", 6), Layer("residual", 4)), "relu"))
    after = Restart().apply(an_agent_state(genome), np.random.default_rng(0))

    assert after.genome == genome
    assert not same(after, Restart().apply(an_agent_state(genome), np.random.default_rng(1)))
    assert Restart().claim(genome).max_logit_change is None


def test_it_says_what_it_changes():
    edit = Restart((("entropy_coefficient", 0.05),), (3,))

    assert edit.claim(Genome()).changes == {
        "learning_rule.entropy_coefficient": 0.05,
        "architecture.layers": [{"kind": "dense", "units": 3}],
    }
    assert edit == Restart(**json.loads(json.dumps(asdict(edit))))
    assert Restart(trunk=(64, 64)).cost(Genome()) > Restart(trunk=(8,)).cost(Genome()) > 0


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (Restart((("discount", 0.5),)), "see set_discount"),
        (Restart((("learning_rate", -1.0),)), "learning_rate must be a number in"),
        (Restart((("epochs", 1), ("epochs", 2))), "epochs twice"),
        (Restart((("pace", 1.0),)), "no number 'pace'"),
        (Restart("fast"), "pairs of name and value"),
        (Restart(trunk=(0,)), "at least one unit"),
        (Restart(trunk=(2.5,)), "whole numbers"),
    ],
)
def test_what_cannot_be_is_refused(edit, reason):
    with pytest.raises(RefusedEditError, match=reason):
        edit.rewrite(Genome())


def test_a_table_cannot_be_drawn_again():
    with pytest.raises(RefusedEditError, match="a table has no weights"):
        Restart().rewrite(Genome(Architecture(()), TableRule()))


# --- random search -----------------------------------------------------------------------------


class World:
    """A run by the book: an update costs 10, and returns the more the nearer the planted rate."""

    def __init__(self, editor, *, budget=4000.0, cut=None, seed=0, refuse=False, best=3e-3):
        self.live = editor.start(EDITS, np.random.default_rng(seed))
        self.genome, self.budget, self.cut, self.refuse, self.best = (
            Genome(),
            budget,
            cut,
            refuse,
            best,
        )
        self.noise = np.random.default_rng(seed)
        self.flops, self.returns, self.agent_runs, self.age = 0.0, [], [], 0

    def live_on(self):
        while self.flops < self.budget:
            self.flops += 10
            self.age += 1
            if self.cut and self.flops >= self.cut:
                self.budget, self.cut = self.cut + (self.budget - self.cut) / 4, None
            rate = self.genome.learning_rule.learning_rate
            skill = -abs(math.log(rate / self.best)) * min(self.age / 5, 1)
            self.returns.append(skill + 0.01 * self.noise.standard_normal())
            self.turn()
        self.agent_runs.append((self.genome, self.age))
        return self

    def turn(self):
        view = a_view(
            self.genome,
            update=len(self.returns),
            flops=self.flops,
            flops_left=self.budget - self.flops,
            returns=tuple(self.returns),
        )
        edit = self.live.propose(view)
        if edit is None:
            return
        if self.refuse:
            self.live.receive(Reply(edit, False, "protected", len(self.agent_runs) + 1))
            return
        after = edit.rewrite(self.genome)
        self.agent_runs.append((self.genome, self.age))
        self.live.receive(Reply(edit, True, "", len(self.agent_runs)))
        self.genome, self.age = after, 0


def rate(agent_run):
    return agent_run[0].learning_rule.learning_rate


@given(st.integers(0, 50), st.integers(2, 12))
def test_the_rest_goes_to_the_settings_nearest_to_the_planted_best(seed, tries):
    world = World(RandomSearch(tries=tries), seed=seed).live_on()
    *searched, last = world.agent_runs

    assert len(searched) == tries
    distance = {each: abs(math.log(rate(each) / 3e-3)) for each in searched}
    assert distance[min(distance, key=distance.get)] == pytest.approx(
        abs(math.log(rate(last) / 3e-3)), abs=0.05
    )


def test_every_try_gets_the_same_share_and_the_rest_is_the_rest():
    """4000 FLOPs at 10 an update: 8 tries of 25 updates are half of it, 200 updates are left."""
    world = World(RandomSearch(tries=8, search_share=0.5)).live_on()

    assert [age for _, age in world.agent_runs] == [25] * 8 + [200]
    assert all(1e-4 <= rate(each) <= 1e-2 for each in world.agent_runs)
    assert rate(world.agent_runs[0]) == LearningRule().learning_rate  # as it started


def test_a_cut_in_the_search_shortens_the_tries_that_are_left():
    """At 1000 of 4000 the rest becomes 750: half of 1750 is less than what is spent already."""
    world = World(RandomSearch(tries=8, search_share=0.5), cut=1000.0).live_on()

    assert [age for _, age in world.agent_runs][:4] == [25, 25, 25, 25]
    assert len(world.agent_runs) == 5
    assert world.agent_runs[-1][1] == 75
    assert world.live.state()["chosen"] is not None


def test_a_later_cut_leaves_the_search_as_it_was():
    world = World(RandomSearch(tries=4, search_share=0.25), cut=2000.0).live_on()

    assert [age for _, age in world.agent_runs] == [25] * 4 + [150]


def test_updates_may_be_counted_instead():
    world = World(RandomSearch(tries=3, try_updates=10)).live_on()

    assert [age for _, age in world.agent_runs] == [10, 10, 10, 370]


def test_widths_are_drawn_too():
    world = World(RandomSearch(tries=10, widths=(4, 8))).live_on()
    trunks = {each.architecture.widths() for each, _ in world.agent_runs}

    assert trunks <= {(32, 32), (4, 4), (8, 8)}
    assert len(trunks) == 3
    best = world.live.state()["tries"][world.live.state()["chosen"]]
    assert world.genome.architecture.widths() == tuple(best["trunk"])


def test_with_keep_the_best_agent_state_itself_goes_on():
    editor = RandomSearch(tries=6, keep=True)
    asked = []
    world = World(editor, seed=3)
    propose = world.live.propose
    world.live.propose = lambda view: asked.append(propose(view)) or asked[-1]
    world.live_on()
    chosen = world.live.state()["chosen"]
    undone = [each for each in asked if isinstance(each, Undo)]

    assert [each.entry for each in undone] == ([chosen + 1] if chosen < 5 else [])
    assert rate(world.agent_runs[-1]) == rate(world.agent_runs[chosen])


def test_where_restarts_are_refused_the_agent_stays_as_it_is():
    world = World(RandomSearch(tries=5), refuse=True).live_on()

    assert world.agent_runs == [(Genome(), 400)]
    assert len(world.live.state()["tries"]) == 1


def test_without_a_budget_nothing_is_tried():
    live = RandomSearch().start(EDITS, np.random.default_rng(0))
    views = [a_view(Genome(), update=i, returns=(0.0,) * i) for i in range(1, 40)]

    assert RandomSearch().needs_budget
    assert not RandomSearch(try_updates=5).needs_budget
    assert all(live.propose(view) is None for view in views)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"tries": 0}, "tries is at least 1"),
        ({"search_share": 0.0}, "search_share is above 0"),
        ({"window": 2.0}, "window is above 0"),
        ({"learning_rate": (0.0, 1.0)}, "learning_rate is a range"),
        ({"entropy_coefficient": (1.0, 0.1)}, "entropy_coefficient is a range"),
        ({"widths": (0,)}, "widths are at least 1"),
        ({"try_updates": 0}, "try_updates is at least 1"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        RandomSearch(**settings)


def test_it_needs_its_edits():
    with pytest.raises(ValueError, match="needs the edit 'restart'"):
        RandomSearch().start({}, np.random.default_rng(0))
    with pytest.raises(ValueError, match="needs the edit 'undo'"):
        RandomSearch(keep=True).start({"restart": Restart}, np.random.default_rng(0))
