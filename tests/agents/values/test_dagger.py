"""Advice given where one went is learned; a clone of what was shown elsewhere errs there."""

from dataclasses import replace

import numpy as np
import pytest

from agents.contract import Batch
from agents.values.behaviour_cloning import BehaviourCloning
from agents.values.dagger import Dagger
from agents.values_contract import Evidence
from tests.agents.demonstrators import a_grid, a_random_world, watched

ANY = np.zeros(25, int)
EXPERT = np.where(np.arange(25) % 5 < 4, 3, 1)


def rng(seed=0):
    return np.random.default_rng(seed)


def advised(evidence, expert, silent=0.0, chance=None):
    """The same steps with what the expert would have done there; now and then nothing is said."""
    seen = evidence.steps.observation.argmax(axis=2)
    said = expert[seen]
    if silent:
        said = np.where(chance.random(said.shape) < silent, -1, said)
    return replace(evidence, steps=replace(evidence.steps, advice=said))


def test_advice_shows_what_demonstrations_never_showed():
    """The expert walks one way only; who slips off it needs advice, and gets it."""
    world = a_grid(5, 16)
    demos = watched(world, np.eye(4)[EXPERT], 20, rng(1))
    off = np.setdiff1d(np.arange(25), demos.steps.observation.argmax(axis=2))
    matched = {}
    for kind in (BehaviourCloning, Dagger):
        valuer = kind(epochs=30).start(25, 4, rng())
        valuer.learn(demos)
        for i in range(4 if kind is Dagger else 0):
            mixed = 0.5 * valuer.predict(world.observation, ANY) + 0.125
            valuer.learn(advised(watched(world, mixed, 20, rng(i)), EXPERT, 0.3, rng(i)))
        found = valuer.predict(world.observation, ANY).argmax(axis=1)
        matched[kind] = (found == EXPERT)[off].mean()

    assert len(off) == 16
    assert matched[Dagger] == 1
    assert matched[BehaviourCloning] < 0.8


def test_where_there_is_advice_what_was_done_trains_nothing():
    """Other actions, same advice: same sample. All silent: none."""
    world = a_random_world()
    evidence = advised(
        watched(world, np.full((6, 4), 0.25), 5, rng()), np.array([0, 1, 2, 3, 0, 1])
    )
    other = replace(evidence, steps=replace(evidence.steps, action=(evidence.steps.action + 1) % 4))
    quiet = replace(evidence, steps=replace(evidence.steps, advice=np.full((8, 5), -1)))
    states = {}
    for name, each in {
        "advised": evidence,
        "other": other,
        "quiet": quiet,
        "initial": None,
    }.items():
        valuer = Dagger().start(6, 4, rng())
        if each is not None:
            valuer.learn(each)
        states[name] = valuer.state_dict()
    for key, value in states["advised"].items():
        np.testing.assert_array_equal(value, states["other"][key])
    for key, value in states["initial"].items():
        np.testing.assert_array_equal(value, states["quiet"][key])
    assert int(states["advised"]["kept.shown"]) == 40


def test_all_advice_ever_given_counts_the_same():
    """Nine times this, then once that, in the same state: nine to one."""
    seen, valuer = (
        np.eye(2, dtype=np.float32),
        Dagger(epochs=300, entropy_weight=0).start(2, 4, rng()),
    )
    for action, times in ((1, 9), (2, 1)):
        rows, zero = np.repeat(seen[:1], times, axis=0)[:, None], np.zeros((times, 1), int)
        rollout = Batch(rows, zero, rows, np.zeros((times, 1)), zero == 1, zero == 1)
        valuer.learn(Evidence(replace(rollout, advice=zero + action)))

    chances = valuer.predict(seen[:1], ANY[:1])[0]
    np.testing.assert_allclose(chances, [0, 0.9, 0.1, 0], atol=0.02)


def test_no_more_is_kept_than_there_is_room_for():
    valuer = Dagger(capacity=10, epochs=1).start(6, 4, rng())
    for i in range(3):
        valuer.learn(watched(a_random_world(), np.full((6, 4), 0.25), 5, rng(i)))
    state = valuer.state_dict()

    assert int(state["kept.shown"]) == 120
    assert state["kept.column.seen"].shape == (10, 6)
    with pytest.raises(ValueError, match="capacity is at least 1"):
        Dagger(capacity=0)
