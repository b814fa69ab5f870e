"""Counting solves the deep sea and swims upstream, within the gates; and how the planner works."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from gymnasium.vector import VectorWrapper

import envs
from agents.genome import Architecture, Genome
from agents.learners.mbie_eb import MbieEb
from agents.objectives.extrinsic import Extrinsic
from envs.faces.gymnasium import BatchFace
from sandbox.trial.recorder import RecordedEnv
from tests.agents.small_worlds import Signpost, streams
from tests.envs.notes import Notes


def an_agent_run(env, seed=0, **settings):
    """One planner in this env."""
    learner = MbieEb(**settings)
    initial = Genome(Architecture(())).to_json() | {"learning_rule": learner.genome_rule()}
    objectives = {"extrinsic": Extrinsic()}
    return learner.build(env, {"agent": Genome.from_json(initial)}, objectives, streams(seed))


def world_run(name, seed, world_settings, **settings):
    """Notes of all that happens in a world, and who is in it."""
    face = BatchFace(envs.make_world(name, **world_settings), 1, rng=np.random.default_rng(seed))
    notes = Notes()
    return notes, an_agent_run(RecordedEnv(face, notes), seed, **settings)


def episodes_until_solved(size, seed, most, mapping=42):
    """Episodes until less than nine in ten were bad, as bsuite counts; ``None`` after ``most``."""
    settings = {"size": size, "mapping_seed": mapping}
    notes, agent_run = world_run("deep_sea", seed, settings, steps_per_update=size, plan_every=size)
    for episode in range(1, most + 1):
        agent_run.update()
        bad = sum(float(each.truth["bad_episode"][0]) for each in notes.outcomes)
        if bad / episode < 0.9:
            return episode
    return None


@pytest.mark.parametrize(
    ("size", "gate", "seeds"), [(10, 60, (0, 1, 2, 3, 4)), (20, 150, (0, 1)), (30, 250, (0,))]
)
def test_the_count_bonus_solves_the_deep_sea_within_the_gates(size, gate, seeds):
    """bsuite's own map (seed 42) with the part's defaults."""
    assert all(episodes_until_solved(size, seed, gate) for seed in seeds)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "gate"), [(10, 60), (20, 150), (30, 250)])
@pytest.mark.parametrize("mapping", [0, 1, 2])
def test_so_it_does_where_right_lies_elsewhere(size, gate, mapping):
    assert episodes_until_solved(size, mapping, gate, mapping)


def test_without_optimism_and_bonus_nothing_seems_worth_the_cost():
    settings = {"bonus": 0.0, "unseen_value": 0.0, "steps_per_update": 10, "plan_every": 10}
    notes, agent_run = world_run("deep_sea", 0, {"size": 10}, **settings)
    for _ in range(100):
        agent_run.update()
    assert len(notes.outcomes) == 1000
    assert not any(each.truth["treasure"][0] for each in notes.outcomes)


# --- river swim (I13) --------------------------------------------------------------------------

OPTIMISM = (10_000 + 1000) / 0.05  # the most that anything could be worth, bonuses and all


def swum(seed, bonus, steps=5000):
    settings = {"bonus": bonus, "unseen_value": OPTIMISM, "tolerance": 1.0, "total_steps": steps}
    notes, agent_run = world_run("river_swim", seed, {}, **settings)
    for _ in range(steps // 100):
        agent_run.update()
    return sum(float(each.reward[0]) for each in notes.outcomes)


def test_who_tries_everything_once_stays_at_the_bank():
    assert swum(0, 0.0, steps=1000) == pytest.approx(5 * 1000, abs=100)


@pytest.mark.slow
def test_the_bonus_swims_upstream():
    """3.2 million, give or take 0.15, in 5000 steps; without it 25 thousand."""
    found = [swum(seed, 1000.0) for seed in range(12)]
    assert np.mean(found) == pytest.approx(3.2e6, abs=1.5e5)
    assert min(found) > 2.5e6
    assert swum(0, 0.0) == pytest.approx(2.5e4, abs=100)


# --- the planner -------------------------------------------------------------------------------


class Watched(VectorWrapper):
    """Notes where the one swimmer was, what it did, its reward and where it led."""

    def __init__(self, face):
        super().__init__(face)
        self.steps = []

    def step(self, actions):
        before = int(self.env.state.agent[0])
        answer = self.env.step(actions)
        after = int(answer[0][0].argmax())
        self.steps.append((before, int(actions[0]), float(answer[1][0]), after))
        return answer


def test_its_plan_solves_the_equation_it_is_made_of():
    """Q of every action tried, recomputed from its counts in the open."""
    settings = {"bonus": 300.0, "unseen_value": 2e5, "discount": 0.9, "tolerance": 1e-7}
    env = Watched(BatchFace(envs.make_world("river_swim"), 1, rng=np.random.default_rng(3)))
    agent_run = an_agent_run(env, 3, **settings)
    n, rewards, led = np.zeros((6, 2)), np.zeros((6, 2)), np.zeros((6, 2, 6))
    agent_run.update()
    for before, action, reward, after in env.steps:
        n[before, action] += 1
        rewards[before, action] += reward
        led[before, action, after] += 1
    live = agent_run.learners["agent"]
    eye = np.eye(6, dtype=np.float32)
    worth = live.values(eye)
    seen = np.maximum(n, 1)
    value = (rewards + 0.9 * led @ worth) / seen + 300.0 / np.sqrt(seen)
    value = np.where(n > 0, value, 2e5)

    np.testing.assert_allclose(worth, value.max(1), rtol=1e-6)
    assert n.sum() == 100


def test_a_planner_goes_on_from_a_snapshot():
    def one(seed):
        return an_agent_run(
            Signpost(4, seed=seed), seed, num_envs=4, steps_per_update=8, plan_every=3
        )

    agent_run = one(0)
    for _ in range(3):
        agent_run.update()
    again = one(9)
    again.resume(copy.deepcopy(agent_run._env), *agent_run.snapshot())
    for _ in range(4):
        assert agent_run.update() == again.update()
    first, second = (each.learners["agent"].agent_state() for each in (agent_run, again))
    assert all(np.array_equal(first.parameters[k], second.parameters[k]) for k in first.parameters)


def test_edits_of_what_means_nothing_to_it_are_refused():
    live = an_agent_run(Signpost(4), num_envs=4).learners["agent"]
    agent_state = live.agent_state()
    for change in ({"learning_rate": 0.5}, {"rule": "sarsa"}, {"learns_from": "intended"}):
        genome = replace(
            agent_state.genome, learning_rule=replace(agent_state.genome.learning_rule, **change)
        )
        with pytest.raises(ValueError, match="the agent plans"):
            live.install(replace(agent_state, genome=genome))
    calmer = replace(
        agent_state.genome, learning_rule=replace(agent_state.genome.learning_rule, discount=0.5)
    )
    live.install(replace(agent_state, genome=calmer))
    assert live.effective() == calmer


def test_all_wrong_settings_are_named():
    with pytest.raises(ValueError, match=r"num_envs must be .*; bonus must be .*; most_sweeps"):
        MbieEb(bonus=-1.0, most_sweeps=0, num_envs=0)
