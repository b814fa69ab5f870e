"""Corners of the engine where torch has an answer too."""

from functools import partial

import gymnasium as gym
import numpy as np
import pytest

from agents.algorithms.a2c import RewritableA2C
from agents.algorithms.ppo import RewritablePPO
from agents.algorithms.ppo_start import build_learner
from agents.algorithms.two_stream_ppo import RewritableTwoStreams
from agents.objectives.simhash import Simhash
from tests.agents.learning_kinds import a_genome
from tests.agents.small_worlds import CHOICES, EXTRINSIC, SIZE, streams

COPIES, STEPS = 4, 6
KINDS = {"ppo": RewritablePPO, "a2c": RewritableA2C, "ppo_two_streams": RewritableTwoStreams}
DRIVES = {**EXTRINSIC, "simhash": Simhash(bits=6)}
SPACES = gym.spaces.Box(-1, 1, (SIZE,), np.float32), gym.spaces.Discrete(CHOICES)


def started(name, engine, **rule):
    genome = a_genome(name, **rule)
    start = partial(build_learner, "agent", genome, spaces=SPACES, shape=(COPIES, STEPS))
    chosen = {"kind": KINDS[name], "engine": engine}
    return start(objectives=DRIVES, streams=streams(), **chosen)


def finish_rollout(learner, present, reward=1.0):
    """A rollout in which the agent is ``present``, bool ``[copies]``, at every step."""
    learner.begin()
    seen, never = np.ones((COPIES, SIZE), np.float32), np.zeros(COPIES, bool)
    for _ in range(STEPS):
        learner.act(seen, present)
        learner.store(seen, np.full(COPIES, reward), never, never)
    learner.finish(seen)


@pytest.mark.parametrize("name", KINDS)
def test_an_agent_that_was_away_for_a_whole_rollout_is_looked_at_as_under_torch(name):
    looks = []
    for engine in ("numpy", "torch"):
        learner = started(name, engine)
        finish_rollout(learner, np.ones(COPIES, bool))
        finish_rollout(learner, np.zeros(COPIES, bool))
        looks.append(learner.look())
    ours, theirs = (look.gradients() for look in looks)

    assert ours.keys() == theirs.keys()
    assert not any(each.any() for each in (*ours.values(), *theirs.values()))
    for each in (looks[0].inputs, looks[0].activations, looks[0].backward):
        assert each("policy", 0).shape[0] == 0


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("updates", [0, 1])
def test_an_update_that_fails_leaves_the_moments_of_those_before_it(optimiser, updates):
    everywhere = np.ones(COPIES, bool)
    momentum = {"momentum": 0.9} if optimiser == "sgd" else {}
    learner = started("ppo", "numpy", optimiser=optimiser, **momentum)
    for _ in range(updates):
        finish_rollout(learner, everywhere)
    before = learner.agent_state().moments
    with pytest.raises(FloatingPointError):
        finish_rollout(learner, everywhere, reward=1e30)
    after = learner.agent_state().moments

    assert bool(before) == bool(updates)
    assert after.keys() == before.keys()
    assert all(np.array_equal(each.first, before[name].first) for name, each in after.items())
