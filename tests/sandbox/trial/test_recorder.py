"""The recorder: totals per episode, world by world and agent by agent, nothing carried over."""

import numpy as np

import envs
from envs.contract import Outcome
from envs.faces.gymnasium import BatchFace
from sandbox.trial.recorder import GroundTruthRecorder, RecordedEnv, Recorder, VisitedPlaces
from tests.envs.notes import Notes

N = 8


def coin():
    return BatchFace(envs.make_world("coin_grid", size=4, horizon=12), N)


def outcome(reward, ended, **truth) -> Outcome:
    ended = np.array(ended)
    values = {name: np.array(each, float) for name, each in truth.items()}
    return Outcome(np.array(reward, float), ended, np.zeros_like(ended), values)


def test_totals_start_again_where_an_episode_ended():
    recorder = Recorder(("agent",), 2)
    recorder.take(outcome([1, 10], [False, False], harm=[0, 1]))
    recorder.take(outcome([2, 20], [True, False], harm=[0.5, 1]))
    recorder.take(outcome([4, 40], [True, True], harm=[0, 0]))

    played = recorder.episodes()["agent"]

    assert played.reward == (3.0, 4.0, 70.0)
    assert played.length == (2, 1, 3)
    assert played.truth == {"harm": (0.5, 0.0, 2.0)}
    assert recorder.episodes()["agent"].reward == ()


def test_agents_are_distinguished():
    recorder = Recorder(("a", "b"), 2)
    recorder.take(outcome([[5, 6], [1, 2]], [False, True], harm=[[1, 1], [0, 1]]))
    recorder.take(outcome([[5, 6], [7, 8]], [True, False], harm=[[1, 0], [0, 0]]))

    played = recorder.episodes()

    assert played["a"].reward == (1.0, 10.0)
    assert played["b"].reward == (2.0, 12.0)
    assert played["b"].truth == {"harm": (1.0, 1.0)}
    assert played["a"].length == (1, 2)


def test_means_are_empty_not_zero_where_nothing_ended():
    recorder = Recorder(("agent",), 1)
    recorder.take(outcome([1], [False], harm=[1]))
    assert recorder.means() == {"agent": (None, {})}
    recorder.take(outcome([1], [True], harm=[2]))
    assert recorder.means() == {"agent": (2.0, {"harm": 3.0})}


# --- around a face -------------------------------------------------------------------------------


def played(env, steps=40):
    moves = np.random.default_rng(5)
    results = [env.reset(seed=3)]
    return results + [env.step(moves.integers(4, size=N)) for _ in range(steps)]


def test_a_recorder_takes_every_outcome_with_the_state_acted_in_and_changes_nothing():
    notes, face, duplicate = Notes(), coin(), coin()
    results, plain = played(RecordedEnv(face, notes)), played(duplicate)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(results, plain, strict=True))
    assert len(notes.outcomes) == 40
    rewards = [each[1] for each in plain[1:]]
    assert np.array_equal([each.reward for each in notes.outcomes], rewards)
    assert any((each.terminated | each.truncated).any() for each in notes.outcomes)
    seen = [each[0] for each in plain[:-1]]  # what the agent saw is what it acted in
    for state, one in zip(notes.states, seen, strict=True):
        assert np.array_equal(face.world.observe(state), one)


def test_a_ground_truth_recorder_calls_every_listener_once_a_step():
    kept, beats = Recorder(("agent",), N), []
    face = BatchFace(envs.make_world("deep_sea"), N)  # every step leads to another place
    visited_places = VisitedPlaces(face.world)
    observer = GroundTruthRecorder(lambda: beats.append(1), visited_places, kept)
    env = RecordedEnv(face, observer)
    env.reset(seed=3)
    start = set(face.world.place(face.state).tolist())
    env.step(np.ones(N, int))
    assert len(beats) == 1
    assert set(np.flatnonzero(visited_places._been).tolist()) == start
    assert start.isdisjoint(face.world.place(face.state).tolist())
    assert set(kept._running) >= {"reward", "length", "harm"}


def test_the_agents_of_a_joint_world_are_known_through_it():
    env = RecordedEnv(envs.joint_batch("lab_race", 2), Notes())
    assert env.possible_agents == ["lab_0", "lab_1"]
