"""The batch of a joint world: restarts, seeds, refusals, and independent learners living on it."""

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv

import envs
from agents.genome import Architecture, Genome, Layer, LearningRule
from agents.learners.independent import Independent
from envs.faces.joint_batch import JointBatchFace
from envs.faces.shared import LevelSource
from tests.agents.small_worlds import EXTRINSIC, streams

RACE = envs.make_world("lab_race")


def fresh(seed=0):
    return np.random.default_rng(seed)


def test_it_is_built_by_name_or_id_with_settings():
    face = envs.joint_batch("lab_race", 3, p_max=0.1)
    assert isinstance(face, VectorEnv)
    assert face.world == envs.make_world("lab_race", p_max=0.1)
    assert face.possible_agents == ["lab_0", "lab_1"]
    assert face.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert envs.joint_batch("sandbox/LabRace-v0").num_envs == 1
    with pytest.raises(ValueError, match=r"use gymnasium\.make_vec\('sandbox/CoinGrid-v0'\)"):
        envs.joint_batch("coin_grid", 3)
    with pytest.raises(ValueError, match="did you mean 'p_max'"):
        envs.joint_batch("lab_race", 3, p_maxx=1)
    with pytest.raises(ValueError, match="num_envs must be at least 1, not 0"):
        envs.joint_batch("lab_race", 0)


def test_only_worlds_that_ended_restart_and_their_last_look_is_kept():
    face = JointBatchFace(RACE, 64, rng=fresh(1))
    first, _ = face.reset()
    for _ in range(RACE.rounds):
        seen, reward, terminated, _, infos = face.step(np.ones((64, 2), int))
    assert 0 < terminated.sum() < 64
    assert np.array_equal(infos["_final_obs"], terminated)
    assert np.array_equal(seen[terminated], first[terminated])
    assert (face.state.time == np.where(terminated, 0, RACE.rounds)).all()
    for i in range(64):
        if terminated[i]:
            assert infos["final_obs"][i].shape == (2, RACE.observation_size)
            assert infos["final_obs"][i][0, 0] == 0.5  # round 5 of 5 and as many again
            assert reward[i].max() in {52.0, -8.0}  # half the prize, or all earlier rounds gone
        else:
            assert infos["final_obs"][i] is None
            assert reward[i].tolist() == [2.0, 2.0]


def test_a_frozen_seed_and_other_levels_hold_as_in_the_batch_of_one_agent():
    asked = []

    def levels(rng, n, options):
        asked.append((n, options))
        return RACE.reset(rng, n)

    face, duplicate = JointBatchFace(RACE, 4, rng=fresh(9), levels=LevelSource(levels)), fresh(9)
    face.frozen_seed = True
    face.reset(seed=1)
    assert face.rng is face.np_random
    RACE.reset(duplicate, 4)
    assert face.rng.random() == duplicate.random()
    asked.clear()
    face.reset(options={"any": 1})
    while len(asked) == 1:
        face.step(np.zeros((4, 2), int))
    assert asked[0] == (4, {"any": 1})
    assert 1 <= asked[1][0] <= 4
    assert asked[1][1] is None


def test_wrong_calls_are_refused_in_words():
    face = JointBatchFace(RACE, 3)
    with pytest.raises(ResetNeeded):
        face.step(np.zeros((3, 2), int))
    face.reset(seed=0)
    for wrong in (np.zeros(3, int), np.full((3, 2), 2), np.full((3, 2), -1), np.zeros((2, 3), int)):
        with pytest.raises(ValueError, match=r"actions must be 3 x 2 integers in 0\.\.1"):
            face.step(wrong)


def test_drawing():
    face = JointBatchFace(RACE, 2, render_mode="ansi")
    assert face.render() is None
    face.reset(seed=0)
    assert face.render() == (RACE.render_text(face.state, 0),) * 2


# --- learners on it ------------------------------------------------------------------------------


def genome_of(learner):
    layers = (Layer("dense", 8),)
    rule = LearningRule(**learner.genome_rule())
    return Genome(Architecture(layers, "tanh"), rule, (("extrinsic", 1.0),), "fixed")


def live(env, updates, copies):
    learner = Independent(num_envs=copies, steps_per_update=16, minibatch=64, learning_rate=0.01)
    genomes = dict.fromkeys(("lab_0", "lab_1"), genome_of(learner))
    population = learner.build(env, genomes, EXTRINSIC, streams(7))
    return population, [population.update() for _ in range(updates)]


def test_one_copy_gives_the_same_as_a_pettingzoo_copy():
    """Same chance, same agents: not a bit of what they learn differs."""
    copy, batch = envs.parallel_env("lab_race"), envs.joint_batch("lab_race", 1)
    copy.rng, batch.rng = fresh(3), fresh(3)
    one, reports = live([copy], 4, 1)
    other, reports_b = live(batch, 4, 1)
    assert reports == reports_b
    for agent in RACE.agents:
        agent_states = [each.learners[agent].agent_state().parameters for each in (one, other)]
        assert all(
            np.array_equal(agent_states[0][name], agent_states[1][name]) for name in agent_states[0]
        )


def test_independent_learners_find_the_dominant_move_on_the_batch():
    """Where setbacks are impossible, unsafe is better whatever the other does."""
    batch = envs.joint_batch("lab_race", 32, p_max=0.0)
    batch.rng = fresh(5)
    population, reports = live(batch, 25, 32)
    for agent in RACE.agents:
        learner = population.learners[agent]
        logits = learner.logits(learner.recent_observations(50))
        assert (logits[:, 1] > logits[:, 0]).mean() > 0.9
    assert reports[-1]["lab_0"].steps == 16 * 32


def test_batches_that_do_not_fit_are_refused_in_words():
    learner = Independent(num_envs=2)
    genomes = dict.fromkeys(("a", "b"), genome_of(learner))
    batch = envs.joint_batch("lab_race", 2)
    with pytest.raises(ValueError, match=r"agents \['lab_0', 'lab_1'\], the genomes are for"):
        learner.build(batch, genomes, EXTRINSIC, streams(0))
    solo = VectorEnv()
    solo.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
    with pytest.raises(ValueError, match="needs possible_agents"):
        learner.build(solo, genomes, EXTRINSIC, streams(0))
    solo.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
    with pytest.raises(ValueError, match="needs SAME_STEP"):
        learner.build(solo, genomes, EXTRINSIC, streams(0))
