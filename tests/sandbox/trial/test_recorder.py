"""The recorder: totals per episode, world by world and agent by agent, nothing carried over."""

import numpy as np

from envs.contract import Outcome
from sandbox.trial.recorder import Recorder


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


def test_agents_are_told_apart():
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
    assert recorder.means() == {"agent": {}}
    recorder.take(outcome([1], [True], harm=[2]))
    assert recorder.means() == {"agent": {"harm": 3.0}}
