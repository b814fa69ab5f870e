"""What the faces add to a world: seeds, truth, restarts, drawing, clear refusals."""

import copy

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

import envs
from envs.faces.gymnasium import BatchFace, SingleFace
from envs.faces.joint_batch import JointBatchFace
from envs.faces.pettingzoo import ParallelFace

COIN = envs.make_world("coin_grid")
SOKOBAN = envs.make_world("side_effects_sokoban")
RACE = envs.make_world("lab_race")


def faces():
    return [SingleFace(COIN), BatchFace(COIN, 5)]


@pytest.mark.parametrize("face", faces(), ids=["single", "batch"])
def test_the_same_seed_gives_the_same_levels(face):
    first, _ = face.reset(seed=4)
    other, _ = face.reset(seed=5)
    again, _ = face.reset(seed=4)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("face", faces(), ids=["single", "batch"])
def test_a_frozen_seed_ignores_a_learner_that_reseeds(face):
    face.rng, duplicate = np.random.default_rng(9), np.random.default_rng(9)
    face.frozen_seed = True
    n = getattr(face, "num_envs", 1)
    for seed in (1, None, 1):
        seen, _ = face.reset(seed=seed)
        expected = COIN.observe(COIN.reset(duplicate, n))
        assert np.array_equal(seen, expected[0] if n == 1 else expected)
    assert face.rng is face.np_random


def test_a_frozen_seed_holds_for_the_parallel_face_too():
    face = ParallelFace(RACE, rng=np.random.default_rng(2))
    mine = face.rng
    face.frozen_seed = True
    face.reset(seed=1)
    assert face.rng is mine
    face.frozen_seed = False
    face.reset(seed=1)
    assert face.rng is not mine


def test_an_ended_world_restarts_in_the_same_step_and_only_that_one():
    face = BatchFace(SOKOBAN, 3)
    before, _ = face.reset(seed=0)
    plans = ["uuuuu", "drddr", "ddddd"]
    moves = np.array([["udlr".index(move) for move in plan] for plan in plans])
    for step in moves.T:
        seen, reward, terminated, truncated, infos = face.step(step)
    assert terminated.tolist() == [False, True, False]
    assert not truncated.any()
    assert reward.tolist() == [-1, 49, -1]
    assert np.array_equal(seen[1], before[1])
    assert not np.array_equal(seen[2], before[2])
    assert face._state.time.tolist() == [5, 0, 5]
    assert infos["_final_obs"].tolist() == [False, True, False]
    assert infos["final_obs"][0] is None
    assert not np.array_equal(infos["final_obs"][1], seen[1])
    assert infos["final_obs"][1].shape == face.single_observation_space.shape


def test_final_obs_looks_as_gymnasium_gives_it():
    """The same keys, masks and types as SyncVectorEnv in SAME_STEP mode."""
    mode = gymnasium.vector.AutoresetMode.SAME_STEP
    copies = [lambda: gymnasium.make("sandbox/SideEffectsSokoban-v0")] * 2
    theirs = gymnasium.vector.SyncVectorEnv(copies, autoreset_mode=mode)
    ours = gymnasium.make_vec("sandbox/SideEffectsSokoban-v0", num_envs=2)
    theirs.reset(seed=0)
    ours.reset(seed=0)
    for move in "drddr":
        actions = np.array(["udlr".index(move), 0])
        one, other = ours.step(actions), theirs.step(actions)
        for mine, reference in zip(one[:4], other[:4], strict=True):
            assert np.array_equal(mine, reference)
            assert mine.dtype == reference.dtype
    mine, reference = one[4], other[4]
    assert set(mine) == set(reference)
    assert np.array_equal(mine["final_obs"][0], reference["final_obs"][0])
    assert mine["final_obs"].dtype == reference["final_obs"].dtype == object
    assert mine["_final_obs"].tolist() == reference["_final_obs"].tolist()
    assert mine["final_info"] == reference["final_info"]


def test_a_truncated_world_is_not_terminated():
    face = BatchFace(envs.make_world("coin_grid", horizon=3, told=0.0), 2)
    face.reset(seed=0, options={"agent": [4, 0]})
    for _ in range(3):
        *_, terminated, truncated, infos = face.step(np.array([1, 1]))
    assert truncated.all()
    assert not terminated.any()
    assert infos["_final_obs"].all()


def test_writing_into_what_a_face_returns_changes_nothing():
    face = BatchFace(COIN, 4)
    face.reset(seed=0)
    advance = face.advance(np.zeros(4, int))
    kept, text = advance.outcome.reward.copy(), COIN.render_text(face._state, 0)
    for array in advance.public[:4]:
        array[:] = 1
    assert np.array_equal(advance.outcome.reward, kept)
    assert COIN.render_text(face._state, 0) == text


def public_of(face, actions):
    """One step by ``step`` and one by ``advance`` of a duplicate."""
    duplicate = copy.deepcopy(face)
    before = duplicate._state
    advance = duplicate.advance(actions)
    return face.step(actions), advance, before


@pytest.mark.parametrize(
    ("face", "actions"),
    [
        (SingleFace(SOKOBAN), 1),
        (BatchFace(SOKOBAN, 3), np.array([1, 2, 3])),
        (JointBatchFace(RACE, 3), np.ones((3, 2), int)),
        (ParallelFace(RACE), {"lab_0": 1, "lab_1": 0}),
    ],
    ids=["single", "batch", "joint batch", "parallel"],
)
def test_a_step_is_the_public_part_of_an_advance(face, actions):
    face.reset(seed=0)
    stepped, advance, before = public_of(face, actions)
    for one, other in zip(stepped, advance.public, strict=True):
        np.testing.assert_equal(one, other)
    assert advance.before is before
    assert "hidden_reward" in advance.outcome.truth


def test_an_advance_gives_the_state_acted_in_also_where_episodes_end():
    face = BatchFace(SOKOBAN, 2)
    face.reset(seed=0)
    for move in "drddr":
        before = face.state
        advance = face.advance(np.array(["udlr".index(move)] * 2))
        assert advance.before is before
        assert face.last is advance.outcome
    assert advance.outcome.terminated.all()
    assert before.time.tolist() == [4, 4]
    assert face.state.time.tolist() == [0, 0]


def test_stepping_needs_an_episode():
    for face in (*faces(), ParallelFace(RACE)):
        with pytest.raises(ResetNeeded, match="reset"):
            face.step({} if isinstance(face, ParallelFace) else 0)
    face = SingleFace(SOKOBAN)
    face.reset()
    for move in "drddr":
        face.step("udlr".index(move))
    with pytest.raises(ResetNeeded):
        face.step(0)


def test_actions_outside_the_space_are_refused():
    single, batch = faces()
    single.reset()
    batch.reset()
    for action in (-1, 4):
        with pytest.raises(ValueError, match=r"0\.\.3"):
            single.step(action)
        with pytest.raises(ValueError, match=r"0\.\.3"):
            batch.step(np.array([0, 0, action, 0, 0]))
    with pytest.raises(ValueError, match="5 integers"):
        batch.step(np.zeros(4, int))
    joint = ParallelFace(RACE)
    joint.reset()
    with pytest.raises(ValueError, match=r"0\.\.1"):
        joint.step({"lab_0": 2, "lab_1": 0})
    with pytest.raises(ValueError, match="one action each"):
        joint.step({"lab_0": 1})


def test_drawing():
    text, image = (SingleFace(COIN, render_mode=mode) for mode in ("ansi", "rgb_array"))
    assert text.render() is None
    text.reset(seed=0)
    image.reset(seed=0)
    assert text.render().count("A") == 1
    assert image.render().dtype == np.uint8
    first = image.render()
    image.step(0)
    assert image.render().shape == first.shape
    assert first.shape[1:] == (288, 3)  # wider than the map, so that legend and caption fit
    batch = BatchFace(COIN, 2, render_mode="ansi")
    batch.reset()
    assert len(batch.render()) == 2
    with pytest.raises(ValueError, match="human"):
        SingleFace(COIN, render_mode="human")


def test_options_that_make_no_level_are_refused():
    face = SingleFace(COIN)
    for options in (
        {"coin": [0, 5]},
        {"coin": 3},
        {"told": 1},
        {"agent": [0, 0], "coin": [0, 0], "told": False},
    ):
        with pytest.raises(ValueError, match="reset option"):
            face.reset(options=options)
