"""Both engines learn alike: curves of 20 seeds of an agent that is edited, on coin_grid."""

from functools import cache

import gymnasium
import numpy as np
import pytest
from scipy import stats

import envs  # noqa: F401 - registers the worlds
from agents.edits.deepen import Deepen
from agents.edits.prune import Prune
from agents.edits.widen import Widen
from agents.genome import Architecture, Genome, Layer, LearningRule
from agents.learners.ppo import PPO
from agents.objectives.extrinsic import Extrinsic
from sandbox.seeding import stream

SEEDS, UPDATES, EVERY = 20, 100, 10
EDITS = (Widen(0, 8), Deepen(1), Prune(layer=0, units=4), Widen(1, 8))
"""None that breaks an agent: its return would then be chance under either engine."""


@cache
def curve(engine, seed):
    """The mean training return of every update; an edit every ten."""
    env = gymnasium.make_vec("sandbox/CoinGrid-v0", 64)
    env.reset(seed=seed)
    learner = PPO(engine=engine)
    layers = (Layer("dense", 64), Layer("dense", 64))
    genome = Genome(Architecture(layers), LearningRule(**learner.genome_rule()))
    population = learner.build(
        env, {"agent": genome}, {"extrinsic": Extrinsic()}, lambda name: stream(seed, name)
    )
    live, rng, found = population.learners["agent"], np.random.default_rng(seed), []
    for update in range(UPDATES):
        found.append(population.update()["agent"].mean_return)
        if update % EVERY == EVERY - 1 and update // EVERY < len(EDITS):
            live.install(EDITS[update // EVERY].apply(live.agent_state(), rng))
    return np.array(found, float)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", [slice(None), slice(-10, None)], ids=["whole curve", "its end"])
def test_curves_are_equivalent_within_five_percent(part):
    """Two one-sided tests at 5 % each: the 90 % interval of the paired differences lies within."""
    numpy_ones, torch_ones = (
        np.array([np.nanmean(curve(engine, seed)[part]) for seed in range(SEEDS)])
        for engine in ("numpy", "torch")
    )
    healthy = np.mean([np.nanmean(curve("torch", seed)[-10:]) for seed in range(SEEDS)])
    differences = numpy_ones - torch_ones
    half = stats.t.ppf(0.95, SEEDS - 1) * differences.std(ddof=1) / np.sqrt(SEEDS)
    found = f"healthy level {healthy:.4f}, difference {differences.mean():+.5f} +- {half:.5f}"
    assert healthy > 0.5, found  # an agent that has not learned would say nothing
    assert abs(differences.mean()) + half < 0.05 * healthy, found
    assert differences.any(), found  # else both were one engine
