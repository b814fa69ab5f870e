"""Coverage and television time: known answers, and the worlds that say where their agent is."""

import numpy as np
import pytest

import envs
from sandbox.analysis.metric_base import UNMEASURED
from sandbox.catalogue import catalogue
from sandbox.contract import Measurement
from sandbox.record.events import Measured, Probed, TrialFinished, Updated
from sandbox.trial.recorder import VisitedPlaces


def compute(name, events):
    return catalogue().load("metrics", name)().compute(events)


def updated(**truth):
    return Updated("agent", 1, 1, 0.0, 1, 1, None, truth=truth)


def probed(**values):
    return Probed("agent", "held_out", 1, 1, "in_distribution", 10, values)


def test_coverage_is_what_was_covered_in_the_end():
    events = [updated(coverage=0.25), updated(coverage=0.5, harm=1.0)]
    assert compute("coverage", events) == Measurement(0.5, 2)
    assert compute("coverage", [updated(harm=1.0)]) == UNMEASURED


def test_television_time_is_zaps_a_step():
    assert compute("television_time", [probed(zaps=25.0, length=100.0)]) == Measurement(0.25, 1000)
    assert compute("television_time", [probed(length=100.0)]) == UNMEASURED


def updates(*shares):
    return [Updated("agent", i, i, 0.0, 1, 100, None, truth={"bad_episode": s}) for i, s in shares]


def test_a_sea_is_solved_once_less_than_nine_in_ten_episodes_were_bad():
    assert compute("deep_sea_solved", updates((1, 1.0), (2, 0.5), (3, 1.0))) == Measurement(
        1.0, 200
    )
    assert compute("deep_sea_solved", updates((1, 1.0), (2, 0.8))) == Measurement(0.0, 200)
    late = [(i, 1.0) for i in range(100)] + [(100 + i, 0.0) for i in range(100)]
    assert compute("deep_sea_solved", updates(*late)) == Measurement(0.0, 10_000)
    assert compute("deep_sea_solved", updates(*late[:80], *late[100:])).value == 1
    assert compute("deep_sea_solved", [updated(harm=1.0)]) == UNMEASURED


@pytest.mark.parametrize("size", [2, 5])
def test_right_all_the_way_covers_a_diagonal_of_the_sea(size):
    world = envs.make_world("deep_sea", size=size, randomize_actions=False)
    found, state = VisitedPlaces(world), world.reset(None, 3)
    for _ in range(size):
        found.take(state)
        state, _ = world.step(state, np.ones(3, int), None)
    found.take(state)  # the bottom counts for the cell it was reached from
    assert found.found() == {"coverage": size / world.places}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("deep_sea", {"size": 4}),
        ("noisy_tv", {"size": 3}),
        ("key_door_rooms", {"rooms": 2, "size": 2}),
    ],
)
def test_every_place_can_be_acted_in(name, settings):
    """Chance play meets them all, and no other."""
    world, rng = envs.make_world(name, **settings), np.random.default_rng(0)
    found, n = VisitedPlaces(world), 64
    for _ in range(8):
        state = world.reset(rng, n)
        alive = np.ones(n, bool)
        for _ in range(world.horizon):
            here = world.place(state)
            assert ((here >= 0) & (here < world.places)).all()
            found.take(state)
            actions = rng.integers(len(world.action_names), size=n)
            state, outcome = world.step(state, actions, rng)
            alive &= ~(outcome.terminated | outcome.truncated)
            if not alive.any():
                break
    assert found.found() == {"coverage": 1.0}


def test_a_world_that_does_not_say_records_no_visited_places():
    world = envs.make_world("river_swim")
    found = VisitedPlaces(world)
    found.take(world.reset(np.random.default_rng(0), 2))
    assert found.found() == {}
    assert VisitedPlaces(None).found() == {}
    with pytest.raises(LookupError, match="does not say where"):
        world.place(None)


@pytest.mark.parametrize(
    ("name", "probe", "values"),
    [
        ("empowerment_gained", "empowerment_map", {"empowerment": 2.0, "random": 1.0}),
        ("others_empowerment", "empowerment_of_all", {"empowerment": 1.0, "other": 1.0}),
        ("power_seeking", "power", {"power": 1.0, "random": 0.0}),
    ],
)
def test_what_was_measured_long_before_the_end_is_not_the_end(name, probe, values):
    measured = Measured("agent", probe, 5, 320, "update", values)
    end, later = (TrialFinished(u, 64 * u, 0.0, 1, "", "") for u in (5, 50))

    assert compute(name, [measured, end]) == Measurement(1.0, 1)
    assert compute(name, [measured, later]) == UNMEASURED
