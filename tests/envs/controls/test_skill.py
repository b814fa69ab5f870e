"""The skill that an agent is shown: where it stands, how long it stays, how it is drawn."""

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401  (registers our ids)
from envs.controls.skill import Skill

COPIES, SKILLS = 16, 3


def skilled(seed=0, copies=COPIES, **settings):
    plain = gym.make_vec("sandbox/CoinGrid-v0", num_envs=copies, size=5)
    settings = {"intensity": 1.0, "skills": SKILLS} | settings
    return Skill(**settings).wrap(plain, np.random.default_rng(seed), 10**9)


def agent_run(env, steps=200):
    """What was acted on, what was arrived in, and ends: ``[steps, copies, ...]``."""
    moves, (seen, _), found = np.random.default_rng(1), env.reset(seed=3), []
    for _ in range(steps):
        shown, _, terminated, truncated, infos = env.step(moves.integers(4, size=env.num_envs))
        ended, after = terminated | truncated, shown.copy()
        for i in ended.nonzero()[0]:
            after[i] = infos["final_obs"][i]
        found.append((seen, after, ended))
        seen = shown
    return [np.stack(each) for each in zip(*found, strict=True)]


def shown(seen):
    return seen[..., -SKILLS:]


def test_the_last_numbers_are_one_1_among_0s_and_the_rest_is_as_it_was():
    env = skilled()
    width = env.env.single_observation_space.shape[0]
    before, after, _ = agent_run(env)

    assert env.single_observation_space.shape == (width + SKILLS,)
    for seen in (before, after):
        assert ((shown(seen) == 0) | (shown(seen) == 1)).all()
        assert (shown(seen).sum(axis=-1) == 1).all()


def test_a_skill_lasts_an_episode_its_last_observation_included():
    before, after, ended = agent_run(skilled())

    assert ended.sum() > COPIES
    np.testing.assert_array_equal(shown(before), shown(after))
    going_on = ~ended[:-1]
    np.testing.assert_array_equal(shown(before)[1:][going_on], shown(before)[:-1][going_on])
    begun = ended[:-1]
    assert (shown(before)[1:][begun] != shown(before)[:-1][begun]).any()


def test_all_skills_are_drawn_alike():
    before, _, ended = agent_run(skilled(copies=64), 600)
    first = shown(before)[1:][ended[:-1]].sum(axis=0)
    each = first.sum() / SKILLS

    assert first.sum() > 1000
    assert (np.abs(first - each) < 4 * np.sqrt(each * (1 - 1 / SKILLS))).all()


@pytest.mark.parametrize("resample", [1, 4])
def test_another_is_drawn_after_so_many_steps_of_an_episode(resample):
    before, _, ended = agent_run(skilled(resample=resample))
    age, moved = np.zeros(COPIES, int), np.zeros(resample, int)
    for t in range(len(before) - 1):
        age = np.where(ended[t], 0, age + 1)
        changed = (shown(before)[t + 1] != shown(before)[t]).any(axis=-1) & ~ended[t]
        moved += np.bincount(age[changed] % resample, minlength=resample)
    draws = sum(((np.arange(1, 200) % resample) == 0) * 1) * COPIES

    assert moved[0] > 0.4 * draws
    assert not moved[1:].any()


def test_a_share_of_episodes_has_none():
    before, _, ended = agent_run(skilled(intensity=0.5, resample=2, copies=64), 400)
    any_ = shown(before).any(axis=-1)
    first = any_[1:][ended[:-1]]

    assert first.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(first)))
    np.testing.assert_array_equal(any_[1:][~ended[:-1]], any_[:-1][~ended[:-1]])


def test_evaluation_shows_none():
    env = skilled()
    seen = env.env.reset(seed=1)[0]

    np.testing.assert_array_equal(shown(env.silent(seen)), 0)
    np.testing.assert_array_equal(env.silent(seen)[:, :-SKILLS], seen)


@pytest.mark.parametrize(("setting", "value"), [("skills", 1), ("resample", -1)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} must be at least"):
        Skill(**{setting: value})
