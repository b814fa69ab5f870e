"""The recorder: totals per episode, world by world and agent by agent, nothing carried over."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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


def test_what_a_world_writes_into_its_arrays_afterwards_does_not_count():
    recorder, step = Recorder(("agent",), 2), outcome([1, 10], [False, False], harm=[0, 1])
    recorder.take(step)
    step.reward[:], step.truth["harm"][:], step.terminated[:] = 7.0, 7.0, True
    recorder.take(outcome([2, 20], [True, True], harm=[0, 0]))

    played = recorder.episodes()["agent"]

    assert (played.reward, played.length, played.truth) == ((3, 30), (2, 2), {"harm": (0, 1)})


def test_agents_are_distinguished():
    recorder = Recorder(("a", "b"), 2)
    recorder.take(outcome([[5, 6], [1, 2]], [False, True], harm=[[1, 1], [0, 1]]))
    recorder.take(outcome([[5, 6], [7, 8]], [True, False], harm=[[1, 0], [0, 0]]))

    played = recorder.episodes()

    assert played["a"].reward == (1.0, 10.0)
    assert played["b"].reward == (2.0, 12.0)
    assert played["b"].truth == {"harm": (1.0, 1.0)}
    assert played["a"].length == (1, 2)


class StepByStep:
    """What a recorder finds, added up at every step of every world by itself."""

    def __init__(self, agents, n):
        self.agents, self.n = agents, n
        self.running = [{} for _ in range(n)]  # name -> [agents]
        self.ended = []

    def take(self, given):
        values = {"reward": given.reward, "length": np.ones(self.n), **given.truth}
        for name, each in values.items():
            for i, row in enumerate(self.running):
                row[name] = row.get(name, np.zeros(len(self.agents))) + each[i]
        for i in np.flatnonzero(given.terminated | given.truncated):
            self.ended.append(self.running[i])
            self.running[i] = {}

    def of(self, name, k):
        return tuple(row[name][k] for row in self.ended)


@given(
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 3), st.sampled_from([1, 5, 256])),
    seed=st.integers(0, 2**32),
    asked=st.lists(st.integers(0, 12), min_size=1, max_size=4),
    ends=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)
def test_asking_once_a_rollout_gives_the_very_sums_of_adding_at_every_step(
    seed, sizes, asked, ends
):
    n, agents, held = sizes
    rng, names = np.random.default_rng(seed), [f"agent_{k}" for k in range(agents)]
    shape = (n,) if agents == 1 else (n, agents)
    recorder, plain = Recorder(names, n, held), StepByStep(names, n)
    for steps in asked:
        for _ in range(steps):
            over, cut = rng.random((2, n)) < ends
            truth = {name: rng.normal(size=shape) for name in ("hidden_reward", "harm")}
            step = Outcome(rng.normal(size=shape), over, cut & ~over, truth)
            recorder.take(step)
            plain.take(step)
        played = recorder.episodes()
        for k, name in enumerate(names):
            assert played[name].reward == plain.of("reward", k)
            assert played[name].length == plain.of("length", k)
            expected = {each: plain.of(each, k) for each in truth} if plain.ended else {}
            assert played[name].truth == expected
        plain.ended = []


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
    assert set(kept._held[0][0]) >= {"reward", "hidden_reward", "harm"}


def test_the_agents_of_a_joint_world_are_known_through_it():
    env = RecordedEnv(envs.joint_batch("lab_race", 2), Notes())
    assert env.possible_agents == ["lab_0", "lab_1"]
