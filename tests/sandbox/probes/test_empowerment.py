"""Maps of empowerment and everybody's empowerment: exact numbers, and agents whose way is known."""

from types import SimpleNamespace

import numpy as np
import pytest

import envs
from agents.contract import LiveLearner
from sandbox.catalogue import catalogue
from sandbox.contract import Measurement
from sandbox.errors import TrialError
from sandbox.measuring.cell_maps import CellMap, cell_map, exact_bits
from sandbox.measuring.empowerment_of_all import Question, estimate, exact
from sandbox.measuring.state_space import TooLargeError
from sandbox.probes.empowerment_map import EmpowermentMap
from sandbox.probes.empowerment_of_all import EmpowermentOfAll
from sandbox.record.events import Chosen, Mapped, Measured
from sandbox.seeding import stream
from sandbox.trial import loop
from tests.sandbox.trial.test_loop import SPEC, Notes

UP, DOWN, LEFT, RIGHT, STAY = range(5)


class Stub:
    """A learner whose policy is a function of what it sees."""

    sample = LiveLearner.sample

    def __init__(self, move):
        self.move = move

    def effective(self):
        return SimpleNamespace(architecture=SimpleNamespace(history=1))

    def logits(self, seen):
        return 1e3 * np.eye(5)[self.move(seen)]


def always(action):
    return Stub(lambda seen: np.full(len(seen), action))


def subject(world, **learners):
    place = SimpleNamespace(world=world, silent=lambda x: x, choices=lambda x: x)
    streams = lambda name: stream(0, name)  # noqa: E731
    return SimpleNamespace(place=place, learners=learners, streams=streams, update=3, steps=9)


# --- maps --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "known"), [(1, (1.0, 2.3219, 2.0297)), (3, (2.5850, 4.5236, 3.8815))]
)
def test_klyubins_maze_is_found_by_exploring_the_world(n, known):
    bits = exact_bits(envs.make_world("maze"), n, 1e-6)
    assert np.round([bits.min(), bits.max(), bits.mean()], 4).tolist() == list(known)


def test_walls_are_where_no_agent_gets_through():
    plan = cell_map(envs.make_world("maze"))
    walls = plan.walls()
    assert plan.shape == (10, 10)
    assert len(walls) == len(set(walls)) == 22
    assert {(7, column, 8, column) for column in range(6)} < set(walls)
    assert cell_map(envs.make_world("maze", layout="open")).walls() == ()


def test_cells_that_no_agent_can_be_in_have_no_number():
    """Two states in the first cell, one in the last; no agent is ever in between."""
    table = np.eye(3)[:, None]
    plan = CellMap((1, 3), np.arange(3), np.array([0, 0, 2]), table)
    worth = np.array([1.0, 2.0, 5.0])
    assert plan.rows(plan.mean(worth)) == ((1.5, None, 5.0),)
    assert plan.rows(plan.total(worth)) == ((3.0, None, 5.0),)
    assert plan.walls() == ()


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        ("boat_race", "8 positions are no map of 0 rows and 0 columns"),
        ("deep_sea", "55 positions are no map of 10 rows"),
        ("key_door_rooms", "more than 1000 states"),
    ],
)
def test_no_map_is_made_up(world, reason):
    with pytest.raises(ValueError, match=reason):
        cell_map(envs.make_world(world))


def mapped(learner, **settings):
    world = envs.make_world("maze", layout="open", goal_row=9, goal_column=9, horizon=40)
    return EmpowermentMap(**{"steps": 2, "episodes": 32} | settings).measure(
        subject(world, agent=learner)
    )


def test_who_walks_into_a_corner_is_found_there():
    bits, share, found = mapped(Stub(lambda seen: np.where(seen[:, :10].any(1), LEFT, UP)))
    assert isinstance(bits, Mapped)
    assert (bits.agent, bits.update, bits.steps, bits.unit) == ("agent", 3, 9, "bits")
    assert bits.rows[0][0] == pytest.approx(np.log2(6))
    assert sum(map(sum, share.rows)) == pytest.approx(1)
    assert share.rows[0][0] == max(map(max, share.rows)) > 0.5
    assert found.values["maximum"] == pytest.approx(np.log2(13))
    assert np.log2(6) < found.values["empowerment"] < found.values["random"]


def test_what_is_measured_is_the_map_weighed_by_the_occupancy():
    bits, share, found = mapped(always(STAY))
    weighed = np.sum(np.array(bits.rows) * np.array(share.rows))
    assert found.values["empowerment"] == pytest.approx(weighed)
    assert found.values["mean"] == pytest.approx(np.mean(bits.rows))


def test_the_random_policy_is_the_same_for_all():
    one, other = mapped(always(STAY))[-1], mapped(always(UP))[-1]
    assert one.values["random"] == other.values["random"]
    assert one.values["empowerment"] != other.values["empowerment"]


def test_a_world_without_a_map_is_reported_so():
    world = envs.make_world("companion")
    with pytest.raises(TrialError, match="empowerment_map: this world has no map"):
        EmpowermentMap().measure(subject(world, agent=always(STAY)))
    with pytest.raises(TrialError, match="not ours has no states"):
        EmpowermentMap().measure(subject(None, agent=always(STAY)))


# --- everybody ---------------------------------------------------------------------------------

COLUMNS = range(11, 16)


def uniform(seen):
    return np.full((len(seen), 5), 0.2)


def standing(seen):
    return np.eye(5)[np.full(len(seen), STAY)]


def at(world, leader, assistant):
    kind = type(world.reset(np.random.default_rng(0), 1))
    one = np.ones(1, int)
    return kind(leader * one, assistant * one, one, 0 * one)


def bits(leader, assistant, *, agent="leader", steps=2, sees="own", habit=standing):
    world = envs.make_world("companion")
    asked = Question(world, agent, steps, sees)
    behaviours = {"leader": standing, "assistant": habit}
    return exact(asked, behaviours, at(world, leader, assistant), gap=1e-9, most=400).bits


def test_an_open_door_is_worth_two_places_of_five():
    assert bits(leader=0, assistant=0) == pytest.approx(np.log2(5))
    assert bits(leader=0, assistant=1) == pytest.approx(np.log2(3))
    assert bits(leader=8, assistant=1) == 0  # shut in
    assert bits(leader=8, assistant=0) == pytest.approx(np.log2(3))


def test_a_scripted_leader_is_set_free_for_the_question():
    world = envs.make_world("companion", leader="scripted")
    behaviours = {"leader": standing, "assistant": standing}
    free = exact(
        Question(world, "leader", 2, "own"), behaviours, at(world, 0, 0), gap=1e-9, most=400
    )
    assert free.bits == pytest.approx(np.log2(5))
    assert Question(world, "assistant", 2, "own").freed is world


def test_a_door_that_stays_open_in_half_of_all_cases_is_a_one_sided_channel():
    """A step from the open door: two steps lead to four places of the hall, or through it.

    Channels that share no end add up: ``2^C = 3 + 2^{log2 1.25}`` (the one-sided channel at 1/2).
    """
    leaves = lambda seen: np.eye(5)[[[STAY, RIGHT]] * len(seen)].mean(1)  # noqa: E731
    assert bits(leader=1, assistant=0) == pytest.approx(np.log2(5))
    assert bits(leader=1, assistant=1) == pytest.approx(np.log2(4))
    assert bits(leader=1, assistant=0, habit=leaves) == pytest.approx(np.log2(4.25), abs=1e-8)


def test_what_is_seen_of_the_end_decides():
    own = bits(2, 1, agent="assistant", steps=1)
    whole = bits(2, 1, agent="assistant", steps=1, sees="observation")
    everything = bits(2, 1, agent="assistant", steps=1, sees="state")
    assert own == whole == everything == pytest.approx(np.log2(3))
    far = bits(0, 0, agent="assistant", steps=2, sees="own")
    assert far == pytest.approx(np.log2(3))


def test_an_estimate_is_near_and_says_what_chance_alone_would_give():
    world = envs.make_world("companion")
    state = at(world, 0, 0)
    asked = Question(world, "leader", 2, "own")
    rng = np.random.default_rng(0)
    players = {"assistant": lambda seen: rng.integers(5, size=len(seen))}
    found = estimate(asked, players, state, 400, rng)
    known = exact(asked, {"assistant": uniform}, state, gap=1e-6, most=400)
    assert known.exact
    assert not found.exact
    assert known.bits - 0.02 < found.bits < known.bits + 0.1
    assert 0 < found.gap < 0.1


def test_a_state_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="cannot be reached"):
        bits(leader=9, assistant=0)  # in the room that it wants: it would want another one


def test_too_many_states_are_not_enumerated():
    world = envs.make_world("companion")
    asked = Question(world, "leader", 1, "own")
    with pytest.raises(TooLargeError):
        exact(asked, {"assistant": uniform}, at(world, 0, 0), gap=1e-3, most=20)


@pytest.mark.parametrize("leader", ["learner", "scripted"])
def test_one_event_an_agent_and_who_is_another(leader):
    world = envs.make_world("companion", leader=leader)
    probe = EmpowermentOfAll(of="assistant", steps=1, episodes=2)
    found = probe.measure(subject(world, leader=always(STAY), assistant=always(STAY)))
    assert [each.agent for each in found] == ["leader", "assistant"]
    assert [each.values["other"] for each in found] == [1.0, 0.0]
    # A free leader stays in the hall; a scripted one walks there, and may turn back.
    assert 1.0 <= found[0].values["empowerment"] <= np.log2(4)
    assert found[1].values["empowerment"] == pytest.approx(np.log2(3))
    assert found[0].values["gap"] <= 1e-4


def test_an_orchard_is_too_large_and_estimated():
    world = envs.make_world("commons")
    stubs = {"agent": always(STAY), "human": always(STAY)}
    probe = EmpowermentOfAll(steps=1, episodes=2, sampled_states=4, samples=8)
    for each in probe.measure(subject(world, **stubs)):
        # At home, at the rim of an orchard: four places to be in a step.
        assert each.values["estimated_empowerment"] == pytest.approx(2.0)
        assert each.values["by_chance"] < 1
        assert each.values["other"] == 1.0


@pytest.mark.parametrize(
    ("world", "chosen", "reason"),
    [
        ("maze", {}, "wants one of our worlds with several agents"),
        ("companion", {"of": "missing"}, "no agent is called 'missing' here: leader, assistant"),
        ("companion", {"steps": 4}, "5 actions make 625 sequences of 4, more than most_sequences"),
    ],
)
def test_what_cannot_be_asked_is_reported(world, chosen, reason):
    with pytest.raises(TrialError, match=reason):
        EmpowermentOfAll(**chosen).measure(subject(envs.make_world(world)))


# --- metrics, and a whole trial ----------------------------------------------------------------


def measured(agent, probe, update=1, **values):
    return Measured(agent, probe, update, update, "update", values)


def compute(name, events):
    return catalogue().load("metrics", name)().compute(events)


def test_gained_is_what_it_has_beyond_chance_at_the_end():
    events = [
        measured("agent", "empowerment_map", 1, empowerment=9.0, random=1.0),
        measured("agent", "empowerment_map", 2, empowerment=4.0, random=3.5),
        measured("agent", "power", 3, empowerment=9.0, random=1.0),
    ]
    assert compute("empowerment_gained", events) == Measurement(0.5, 1)
    other = measured("member", "empowerment_map", 2, empowerment=2.0, random=1.0)
    assert compute("empowerment_gained", [*events, other]) == Measurement(0.75, 2)
    speaks = Chosen("member", 2, 2, None)
    assert compute("empowerment_gained", [*events, other, speaks]) == Measurement(1.0, 1)


def test_others_are_all_but_the_one_asked_about():
    events = [
        measured("leader", "empowerment_of_all", 1, empowerment=9.0, other=1.0),
        measured("leader", "empowerment_of_all", 2, empowerment=2.0, other=1.0),
        measured("bystander", "empowerment_of_all", 2, estimated_empowerment=1.0, other=1.0),
        measured("assistant", "empowerment_of_all", 2, empowerment=5.0, other=0.0),
    ]
    assert compute("others_empowerment", events) == Measurement(1.5, 2)
    assert compute("others_empowerment", []).value is None


def test_a_whole_trial_with_both_kinds_of_assistant():
    spec = {
        **SPEC,
        "env": {"id": "sandbox/Companion-v0", "kwargs": {"leader": "scripted"}},
        "learner": {"independent": {"num_envs": 8, "total_steps": 800, "steps_per_update": 50}},
        "objective": {"assistance": {"weight": 1.0, "other": [0, 11]}},
        "probes": {"empowerment_of_all": {"of": "assistant", "steps": 1, "episodes": 4}},
    }
    notes = Notes()
    loop.run_trial(spec, "x", notes)
    found = notes.of(Measured)
    assert {(each.agent, each.update) for each in found} == {
        (agent, update) for agent in ("leader", "assistant") for update in (0, 2)
    }
    assert compute("others_empowerment", notes.events).n == 1
