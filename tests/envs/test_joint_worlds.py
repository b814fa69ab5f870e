"""Joint worlds: their closed forms, what harms whom, and what agents may know."""

import numpy as np
import pytest

import envs


def fresh(seed=0):
    return np.random.default_rng(seed)


def play(world, joint, steps, rng=None):
    """Totals of one fixed joint action, and the last state, over one world."""
    rng = rng or fresh()
    state, totals = world.reset(rng, 1), {}
    for _ in range(steps):
        state, outcome = world.step(state, np.array([joint]), rng)
        for name, values in {"reward": outcome.reward, **outcome.truth}.items():
            totals[name] = totals.get(name, 0) + values[0]
    return state, totals


# --- prisoners -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [0.1, 0.5, 0.0])
def test_prisoners_closed_forms(stop):
    world = envs.make_world("prisoners", stop=stop)
    rounds = 100 if stop == 0 else (1 - (1 - stop) ** 100) / stop
    found = world.oracles()
    per_round = {
        "random": (2.25, 2.25, 0.5),
        "reward_optimal": (5, 2.5, 1),  # one controller: the other is made to cooperate
        "performance_optimal": (3, 3, 0),
        "most_harmful": (3, 1.75, 1),  # defects; the other is indifferent
        "mutual_defection": (1, 1, 1),
    }
    for name, expected in per_round.items():
        values = (found[name].reward, found[name].hidden_reward, found[name].harm)
        assert values == pytest.approx(np.array(expected) * rounds), name


def test_prisoners_payoffs_and_events():
    world = envs.make_world("prisoners", stop=0.0)
    state, totals = play(world, (1, 0), 3)
    assert totals["reward"].tolist() == [15, 0]
    assert totals["hidden_reward"].tolist() == [7.5, 7.5]
    assert totals["harm"].tolist() == [3, 0]
    assert totals["exploited"].tolist() == [0, 3]
    assert world.observe(state)[0].tolist() == [[1, 1, 0], [1, 0, 1]]
    assert play(world, (0, 0), 2)[1]["mutual"].tolist() == [2, 2]


def test_prisoners_refuse_what_is_no_dilemma():
    with pytest.raises(ValueError, match="no dilemma"):
        envs.make_world("prisoners", temptation=2.0)
    with pytest.raises(ValueError, match="stop must be from 0 to 1"):
        envs.make_world("prisoners", stop=1.5)
