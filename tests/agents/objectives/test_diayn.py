"""Skills that differ in where they lead (I18): bounds, what is read, what is refused."""

from dataclasses import replace
from typing import ClassVar

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv

from agents.genome import Architecture, Genome, Layer, LearningRule
from agents.objectives.diayn import Diayn
from envs.controls.skill import Skill
from tests.agents.objectives.steps import at, batch, rng
from tests.agents.small_worlds import solo

SKILLS = 4
EAGER = {"learning_rate": 1e-2, "update_proportion": 1.0}


def skilled(states, skill, steps=8, n=64, skills=SKILLS):
    """A rollout that arrives in ``states`` (``[steps, n, size]``) under skills ``[steps, n]``."""
    shown = np.eye(skills)[skill]
    seen = np.concatenate([np.zeros_like(states), shown], axis=2)
    after = np.concatenate([states, np.zeros_like(shown)], axis=2)
    return batch(seen, np.zeros((steps, n), int), after)


def disjoint(chance, places=8, skills=SKILLS):
    """Skill z leads to places z, z + skills, ...: none of them shared."""
    skill = chance.integers(skills, size=(8, 64))
    place = skill + skills * chance.integers(places // skills, size=skill.shape)
    return skilled(np.eye(places)[place], skill, skills=skills)


def rewards(live_objective, rollout):
    return np.array([live_objective.reward(at(rollout, t)) for t in range(len(rollout.action))])


def trained(settings, draw, rollouts, size, skills=SKILLS):
    live_objective = settings.start(size + skills, 3, rng(0))
    chance = rng(1)
    for _ in range(rollouts):
        live_objective.update(draw(chance))
    return live_objective


# --- the bound (I18) -----------------------------------------------------------------------------


@pytest.mark.parametrize("skills", [2, 4, 7])
def test_skills_with_places_of_their_own_give_up_to_the_logarithm_of_their_number(skills):
    def draw(chance):
        return disjoint(chance, places=14 if skills == 7 else 8, skills=skills)

    places = 14 if skills == 7 else 8
    live_objective = trained(Diayn(skills=skills, **EAGER), draw, 40, places, skills)
    found = rewards(live_objective, draw(rng(9)))

    assert found.max() <= np.log(skills)
    assert found.mean() == pytest.approx(np.log(skills), rel=0.01)


def test_a_certain_discriminator_gives_the_logarithm_exactly():
    """Its head a thousand times as sure: what else could be drawn has no chance in float64."""
    live_objective = trained(Diayn(**EAGER), disjoint, 20, 8)
    state = dict(live_objective.state_dict())
    for name in ("told.1.weight", "told.1.bias"):
        state[name] = state[name] * np.float32(1000)
    live_objective.load_state_dict(state)

    assert (rewards(live_objective, disjoint(rng(9))) == np.log(SKILLS)).all()


@pytest.mark.parametrize("seed", range(3))
def test_no_discriminator_however_wrong_gives_more(seed):
    """The bound is not learned: weights drawn at random, and huge ones."""
    live_objective = trained(Diayn(), disjoint, 1, 8)
    state, chance = dict(live_objective.state_dict()), rng(seed)
    for name, value in state.items():
        if name.startswith("told."):
            state[name] = (
                10 ** chance.uniform(-2, 4) * chance.standard_normal(value.shape)
            ).astype(np.float32)
    live_objective.load_state_dict(state)
    found = rewards(live_objective, disjoint(chance))

    assert np.isfinite(found).all()
    assert found.max() <= np.log(SKILLS)
    assert found.min() < 0


def test_the_same_places_for_all_skills_give_no_reward_and_a_wrong_guess_costs():
    def draw(chance):
        skill = chance.integers(SKILLS, size=(8, 64))
        return skilled(np.eye(8)[chance.integers(8, size=skill.shape)], skill)

    live_objective = trained(Diayn(**EAGER | {"learning_rate": 1e-3}), draw, 40, 8)
    found = np.mean([rewards(live_objective, draw(rng(100 + i))).mean() for i in range(10)])

    assert abs(found) < 0.03


def test_noise_between_skill_and_place_gives_their_mutual_information():
    """A binary symmetric channel: log 2 less the entropy of its noise, in nats."""
    p = 0.1

    def draw(chance):
        skill = chance.integers(2, size=(8, 64))
        place = np.where(chance.random(skill.shape) < p, 1 - skill, skill)
        return skilled(np.eye(2)[place], skill, skills=2)

    live_objective = trained(Diayn(skills=2), draw, 80, 2, 2)
    found = np.mean([rewards(live_objective, draw(rng(100 + i))).mean() for i in range(40)])
    expected = np.log(2) + p * np.log(p) + (1 - p) * np.log(1 - p)

    assert found == pytest.approx(expected, abs=0.02)


# --- what it reads -------------------------------------------------------------------------------


def test_the_discriminator_never_sees_a_skill():
    """Whatever stands in the skill's place of what was arrived in changes nothing."""
    live_objective, other = (Diayn().start(12, 3, rng(0)) for _ in range(2))
    rollout = disjoint(rng(2))
    leaked = rollout.next_observation.copy()
    leaked[..., 8:] = rollout.observation[..., 8:]
    for _ in range(5):
        live_objective.update(rollout)
        other.update(replace(rollout, next_observation=leaked))

    np.testing.assert_array_equal(rewards(live_objective, rollout), rewards(other, rollout))
    assert live_objective.state_dict()["told.0.weight"].shape == (32, 8)


def test_the_skill_is_that_of_the_observation_acted_on():
    live_objective, rollout = trained(Diayn(**EAGER), disjoint, 40, 8), disjoint(rng(9))
    seen = rollout.observation.copy()
    seen[..., 8:] = np.roll(seen[..., 8:], 1, axis=-1)

    assert rewards(live_objective, rollout).min() > 1
    assert rewards(live_objective, replace(rollout, observation=seen)).max() < -1


def test_steps_without_a_skill_give_no_reward_and_no_sample():
    live_objective, other = (Diayn().start(12, 3, rng(0)) for _ in range(2))
    rollout = disjoint(rng(2))
    live_objective.update(rollout)
    other.update(rollout)
    seen = rollout.observation.copy()
    seen[..., 8:] = 0
    quiet = replace(rollout, observation=seen)
    before = live_objective.state_dict()
    live_objective.update(quiet)
    after = live_objective.state_dict()

    assert (rewards(live_objective, quiet) == 0).all()
    assert all((after[name] == before[name]).all() for name in before if "told" in name)


def test_who_has_left_gives_no_reward_whatever_stands_in_its_row():
    live_objective, rollout = trained(Diayn(), disjoint, 2, 8), disjoint(rng(2))
    here = np.ones((8, 64), bool)
    here[:, 5] = False
    seen = rollout.observation.copy()
    seen[:, 5] = 7
    gone = replace(rollout, observation=seen, present=here)
    expected = rewards(live_objective, rollout)
    expected[:, 5] = 0

    np.testing.assert_array_equal(rewards(live_objective, gone), expected)
    live_objective.update(gone)


def test_a_scale_divides_by_the_return_if_it_is_asked_for():
    raw, scaled = (
        trained(Diayn(normaliser=each), disjoint, 3, 8) for each in ("none", "return_std")
    )
    rollout = disjoint(rng(9))

    np.testing.assert_allclose(
        rewards(raw, rollout),
        rewards(scaled, rollout) * scaled.state_dict()["returns.scale"],
        rtol=1e-12,
    )


# --- what it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 4])
def test_an_observation_without_room_for_state_and_skills_is_refused(size):
    with pytest.raises(ValueError, match=f"no state before 4 skills in observations of {size} n"):
        Diayn().start(size, 3, rng())


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="skills is at least 2, not 1"):
        Diayn(skills=1)


@pytest.mark.parametrize(
    "wrong", [[1, 1, 0, 0], [0.5, 0, 0, 0], [0, 0, 2, 0], [1, 0, 0, np.nan], [-1, 0, 1, 1]]
)
def test_numbers_that_are_no_skill_are_refused_when_learning_and_when_rewarding(wrong):
    live_objective, rollout = trained(Diayn(), disjoint, 1, 8), disjoint(rng(2))
    seen = rollout.observation.copy()
    seen[0, 3, 8:] = wrong
    rollout = replace(rollout, observation=seen)

    with pytest.raises(ValueError, match=r"the last 4 numbers seen are no skill.* in row 3"):
        live_objective.reward(at(rollout, 0))
    with pytest.raises(ValueError, match=r"the last 4 numbers seen are no skill.* in row 3"):
        live_objective.update(rollout)


# --- alive ---------------------------------------------------------------------------------------


class Doors(VectorEnv):
    """Action k leads to place k, and that is all there is."""

    metadata: ClassVar = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, num_envs):
        self.num_envs = num_envs
        self.single_observation_space = gym.spaces.Box(0, 1, (SKILLS,), np.float32)
        self.single_action_space = gym.spaces.Discrete(SKILLS)
        self.clock = 0

    def reset(self, *, seed=None, options=None):
        return np.zeros((self.num_envs, SKILLS), np.float32), {}

    def step(self, actions):
        self.clock += 1
        place = np.eye(SKILLS, dtype=np.float32)[actions]
        ended = np.full(self.num_envs, self.clock % 4 == 0)
        none = np.zeros(self.num_envs, bool)
        infos = {"final_obs": place.copy(), "_final_obs": ended} if ended.any() else {}
        return place * ~ended[:, None], np.zeros(self.num_envs), ended, none, infos


def test_a_policy_that_sees_its_skill_comes_to_show_it():
    """From nothing to most of log 4, which only one action of its own for each skill can give."""
    env = Skill(intensity=1.0, skills=SKILLS).wrap(Doors(32), rng(3), 10**9)
    genome = Genome(
        Architecture((Layer("dense", 16),)),
        LearningRule(learning_rate=1e-2, minibatch=128),
        objective=(("diayn", 1.0),),
    )
    agent_run = solo(genome, steps=16, num_envs=32, env=env, objectives={"diayn": Diayn(**EAGER)})
    rewards_of_it = [agent_run.update()["agent"].rewards["diayn"] for _ in range(25)]

    assert abs(rewards_of_it[1]) < 0.2
    assert 0.8 * np.log(SKILLS) < np.mean(rewards_of_it[-5:]) <= np.log(SKILLS)
