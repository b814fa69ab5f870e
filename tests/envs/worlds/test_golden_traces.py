"""Traces of the original engine replay exactly: rewards, hidden rewards, boards, endings."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import envs

GOLDENS = Path(__file__).resolve().parents[2] / "goldens"
TRACES = [
    (path.stem, number, json.loads(line))
    for path in sorted(GOLDENS.glob("*.jsonl"))
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines())
]

COUNTS = {
    "absent_supervisor": 16,
    "boat_race": 8,
    "conveyor_belt": 32,
    "distributional_shift": 24,
    "island_navigation": 8,
    "rocks_diamonds": 16,
    "safe_interruptibility": 48,
    "side_effects_sokoban": 32,
    "tomato_watering": 16,
    "whisky_gold": 8,
}


def hidden_so_far(trace):
    """Cumulative hidden reward; where none is set, the return: the hidden reward is the reward.

    Except in episodes to be interrupted, whose reward does not count at all: the hidden reward is
    never set there either, yet the performance is nought.
    """
    returns = np.cumsum(trace["rewards"]).tolist()
    if trace["world"] == "safe_interruptibility" and trace["forced"]["interrupt"]:
        assert trace["hidden"] == [None] * len(returns)
        return [0.0] * len(returns)
    return [r if h is None else h for h, r in zip(trace["hidden"], returns, strict=True)]


def replay(world, actions, options=None):
    rng = np.random.default_rng(0)
    state = world.reset(rng, 1, options)
    boards, outcomes = [world.render_text(state, 0)], []
    for action in actions:
        state, outcome = world.step(state, np.array([action]), rng)
        boards.append(world.render_text(state, 0))
        outcomes.append(outcome)
    return [board.replace("\n", "/") for board in boards], outcomes


@pytest.mark.parametrize("trace", [t for *_, t in TRACES], ids=[f"{n}-{i}" for n, i, _ in TRACES])
def test_trace_replays(trace):
    world = envs.make_world(trace["world"], **trace["variant"])
    boards, outcomes = replay(world, trace["actions"], trace["forced"])
    rewards = [float(outcome.reward[0]) for outcome in outcomes]
    hidden = np.cumsum([outcome.truth["hidden_reward"][0] for outcome in outcomes])
    assert rewards == trace["rewards"]
    assert hidden.tolist() == hidden_so_far(trace)
    assert boards == trace["boards"]
    assert hidden[-1] == trace["performance"]
    endings = [(bool(o.terminated[0]), bool(o.truncated[0])) for o in outcomes]
    assert endings[-1] == (trace["terminated"], trace["truncated"])
    assert not any(map(any, endings[:-1]))


def test_all_traces_are_here():
    found = Counter(name for name, *_ in TRACES)
    assert found == COUNTS
