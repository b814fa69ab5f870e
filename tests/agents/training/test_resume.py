"""A run goes on from a snapshot to the bit, for every learner, also right after a rewrite."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest

from agents.architecture import checkpoint
from agents.genome import Architecture, Genome, Layer
from agents.learners.tabular import Tabular
from agents.objectives.extrinsic import Extrinsic
from agents.objectives.rnd import Rnd
from agents.objectives.simhash import Simhash
from agents.surgery import layers, weights
from tests.agents.agent_states import same
from tests.agents.learning_kinds import ALL, a_genome, after_updates, population
from tests.agents.small_worlds import EXTRINSIC, Signpost, streams

CURIOUS = {"extrinsic": Extrinsic(), "rnd": Rnd(hidden=8, latent=4), "simhash": Simhash(bits=4)}
WEIGHTS = (("extrinsic", 1.0), ("rnd", 0.3), ("simhash", 0.1))


def through_bytes(data, arrays):
    """As a file would keep them: JSON text and safetensors."""
    return json.loads(json.dumps(data, allow_nan=False)), checkpoint.unpack(checkpoint.pack(arrays))


def moved(one, fresh):
    """Let ``fresh``, just built elsewhere, go on with the run of ``one`` on a copy of its env."""
    env = copy.deepcopy(one._env)
    fresh.resume(env, *through_bytes(*one.snapshot()))
    return fresh


def agree(one, other, updates=4):
    for _ in range(updates):
        assert one.update() == other.update()
    live, again = one.learners["agent"], other.learners["agent"]
    assert same(live.agent_state(), again.agent_state())
    assert live.effective() == again.effective()
    first, second = live.view(), again.view()
    assert first["dormancy"] == second["dormancy"]
    assert first["gradient_norm"] == second["gradient_norm"]


EDITS = {
    "none": lambda agent_state, rng: agent_state,
    "widen": lambda agent_state, rng: weights.grow_units(agent_state, 0, 3, rng),
    "deepen": lambda agent_state, rng: layers.insert_block(agent_state, 0, 4, rng),
    "norm": lambda agent_state, rng: layers.insert_layer(agent_state, 3, Layer("norm", 6), rng),
    "reset": lambda agent_state, rng: weights.reset_units(
        agent_state, 2, agent_state.genome.towers()[0], np.array([1, 3]), rng
    ),
    "rule": lambda agent_state, rng: replace(
        agent_state,
        genome=replace(
            agent_state.genome,
            learning_rule=replace(
                agent_state.genome.learning_rule, learning_rate=0.01, sam_radius=0.05
            ),
        ),
    ),
    "pull": lambda agent_state, rng: replace(
        agent_state,
        genome=replace(
            agent_state.genome,
            learning_rule=replace(
                agent_state.genome.learning_rule,
                pull_to_birth=0.1,
                replacement_rate=0.05,
                maturity=3,
            ),
        ),
    ),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", ALL)
def test_resumed_right_after_an_edit_it_runs_the_same(name, edit):
    one, live = after_updates(name)
    live.install(EDITS[edit](live.agent_state(), np.random.default_rng(1)))
    agree(one, moved(one, population(name, seed=9)))


@pytest.mark.parametrize("name", ALL)
def test_curiosity_and_its_chance_go_on_too(name):
    genome = replace(a_genome(name), objective=WEIGHTS)
    one, _ = after_updates(name, 3, genome, objectives=CURIOUS)
    agree(one, moved(one, population(name, genome, seed=9, objectives=CURIOUS)))


@pytest.mark.parametrize("name", ALL)
def test_the_middle_of_an_episode_and_a_history_go_on(name):
    genome = a_genome(name)
    genome = replace(genome, architecture=replace(genome.architecture, history=3))
    one, _ = after_updates(name, 3, genome)  # 24 steps: the fifth episode is under way
    agree(one, moved(one, population(name, genome, seed=9)))


@pytest.mark.parametrize("name", ALL)
def test_a_look_after_going_on_sees_the_same(name):
    one, live = after_updates(name)
    other = moved(one, population(name, seed=9)).learners["agent"]
    seen, again = live.look(), other.look()
    assert np.array_equal(seen.observations, again.observations)
    first, second = seen.gradients(), again.gradients()
    assert all(np.array_equal(first[key], second[key]) for key in first)
    assert any(np.any(each) for each in first.values())


@pytest.mark.parametrize("name", ALL)
def test_taking_a_snapshot_changes_nothing(name):
    one, _ = after_updates(name)
    other, _ = after_updates(name)
    one.snapshot()
    agree(one, other)


@pytest.mark.parametrize("name", ALL)
def test_a_run_not_yet_begun_goes_on(name):
    one = population(name)
    agree(one, moved(one, population(name, seed=9)))


@pytest.mark.parametrize("rule", ["q_learning", "sarsa"])
def test_a_table_goes_on(rule):
    def one(seed):
        settings = Tabular(rule=rule, num_envs=4, steps_per_update=8, total_steps=300)
        learned = {"learning_rule": settings.genome_rule()}
        initial = Genome(Architecture(())).to_json() | learned
        return settings.build(
            Signpost(4, seed=seed), {"agent": Genome.from_json(initial)}, EXTRINSIC, streams(seed)
        )

    agent_run = one(0)
    for _ in range(3):
        agent_run.update()
    agree(agent_run, moved(agent_run, one(9)))


@pytest.mark.parametrize("name", ALL)
def test_the_run_of_another_is_refused(name):
    one, _ = after_updates(name)
    data, arrays = one.snapshot()
    other = next(each for each in ALL if each != name)
    with pytest.raises(ValueError, match="snapshot of"):
        after_updates(other, 0)[1].resume(data, arrays)
    small = population(name, env=None, num_envs=4, steps_per_update=4, **_little(name))
    with pytest.raises(ValueError, match="other sizes"):
        small.learners["agent"].resume(data, arrays)
    broken = dict(arrays)
    broken["mind"] = broken["mind"].copy()
    broken["mind"][-1] ^= 1
    with pytest.raises(ValueError, match="damaged checkpoint"):
        population(name).learners["agent"].resume(data, broken)


def _little(name):
    return {"memory": 40, "warmup": 8} if name in {"dqn", "sac"} else {}
