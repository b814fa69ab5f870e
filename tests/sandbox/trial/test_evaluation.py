"""Evaluation shows and asks of a policy what training did, of any env."""

import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from pettingzoo import ParallelEnv

from envs.registration import make_world
from sandbox.errors import TrialError
from sandbox.trial import environment, evaluation
from sandbox.trial.evaluation import film, play_foreign, play_world

BYTES = spaces.Box(0, 255, (2, 2), np.uint8)
FIVE_OR_SIX = spaces.Discrete(2, start=5)


class Bytes(gym.Env):
    """Shows bytes at their largest; of the actions 5 and 6 the second gives reward."""

    observation_space, action_space = BYTES, FIVE_OR_SIX

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.clock = 0
        return np.full((2, 2), 255, np.uint8), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.clock += 1
        return np.full((2, 2), 255, np.uint8), float(action == 6), False, self.clock == 5, {}


class BytesForTwo(ParallelEnv):
    """The same for two agents."""

    metadata = {"name": "bytes"}  # noqa: RUF012
    possible_agents = ["a", "b"]  # noqa: RUF012

    def observation_space(self, agent):
        return BYTES

    def action_space(self, agent):
        return FIVE_OR_SIX

    def reset(self, seed=None, options=None):
        self.agents, self.clock = ["a", "b"], 0
        return self.all(np.full((2, 2), 255, np.uint8)), self.all({})

    def all(self, value):
        return dict.fromkeys(self.possible_agents, value)

    def step(self, actions):
        assert all(FIVE_OR_SIX.contains(each) for each in actions.values())
        self.clock += 1
        over = self.clock == 5
        self.agents = [] if over else self.agents
        rewards = {agent: float(each == 6) for agent, each in actions.items()}
        seen = self.all(np.full((2, 2), 255, np.uint8))
        return seen, rewards, self.all(False), self.all(over), self.all({})


@pytest.fixture
def place():
    if "test/Bytes-v0" not in gym.registry:
        gym.register("test/Bytes-v0", Bytes)
    return environment.trial_env(
        {"env": {"id": "test/Bytes-v0", "kwargs": {}}, "seed": 0, "salt": 0}, 2
    )


def second(shown, seen):
    """Take the second action; note what was shown."""
    shown.append(seen)
    return np.ones(len(seen), int)


def test_bytes_are_scaled_and_actions_counted_as_in_training(place):
    shown = []

    played = play_foreign(place, {"agent": functools.partial(second, shown)}, 4, 0)["agent"]

    assert played.reward == (5.0,) * 4
    assert {(each.shape, each.max()) for each in shown} == {((4, 4), 1.0)}


def test_the_random_anchor_draws_from_the_actions_there_are(place):
    found = evaluation.anchors({"env": {"id": "test/Bytes-v0"}, "seed": 0, "salt": 0}, place)

    assert 1.0 < found["in_distribution"]["random"]["reward"] < 4.0


def test_the_anchors_of_a_world_hold_what_standing_still_is_worth_on_all_levels():
    spec = {"env": {"id": "sandbox/VaseGrid-v0", "kwargs": {}}, "seed": 0, "salt": 0}
    there = environment.trial_env(spec, 1)
    found = evaluation.anchors(spec, there)

    assert {*found} == {*there.world.distributions()}
    for oracles in found.values():
        assert oracles["idle"]["reward"] == pytest.approx(-0.01 * there.world.horizon)


def test_anchors_of_a_world_are_taken_from_another_trial_those_of_other_envs_never(place):
    spec = {"env": {"id": "sandbox/VaseGrid-v0", "kwargs": {}}, "seed": 0, "salt": 0}
    known = evaluation.anchors(spec, environment.trial_env(spec, 1))
    elsewhere = {**spec, "seed": 7, "salt": 1}

    assert evaluation.anchors(elsewhere, environment.trial_env(elsewhere, 2)) == known
    assert evaluation.anchors(spec, environment.trial_env(spec, 1), {"of": {}}) == {"of": {}}
    foreign = {"env": {"id": "test/Bytes-v0"}, "seed": 0, "salt": 0}
    assert {*evaluation.anchors(foreign, place, known)} == {"in_distribution"}
    assert evaluation.anchors(foreign, place, known) == evaluation.anchors(foreign, place)


def test_so_it_is_for_several_agents():
    shown = []
    act = functools.partial(second, shown)
    place = environment.TrialEnv(
        None, ("a", "b"), None, lambda n: [BytesForTwo() for _ in range(n)]
    )

    played = play_foreign(place, {"a": act, "b": act}, 3, 0)

    assert played["a"].reward == played["b"].reward == (5.0,) * 3
    assert {(each.shape, each.max()) for each in shown} == {((1, 4), 1.0)}


@pytest.mark.parametrize(("env", "size"), [("FrozenLake-v1", 16), ("Blackjack-v1", 45)])
def test_numbers_and_tuples_are_seen_one_hot(env, size):
    place = environment.trial_env({"env": {"id": env, "kwargs": {}}, "seed": 0, "salt": 0}, 2)
    shown = []

    play_foreign(place, {"agent": functools.partial(second, shown)}, 4, 0)

    assert {each.shape for each in shown} == {(4, size)}
    assert set(np.unique(shown[0])) == {0.0, 1.0}


def to_the_corner(shown, seen):
    """Go up, then right: to the corner of a grid of 5 x 5, wherever the coin is."""
    shown.append(seen)
    return np.where(seen[:, :25].argmax(1) >= 5, 0, 3)


@pytest.mark.parametrize(("levels", "common"), [("shifted", 1.0), ("in_distribution", 0.0)])
def test_the_film_shows_the_more_common_outcome_of_all_that_were_played(levels, common):
    world = make_world("coin_grid").distributions()[levels]
    act = {"agent": functools.partial(to_the_corner, [])}

    shots = [film(world, act, np.random.default_rng(seed)) for seed in range(20)]

    assert {each.harm for each in shots} == {common}
    assert common or all(each.harmful == 0 for each in shots)
    # Some levels put the coin on the way, so not every episode ends in the corner.
    assert not common or 8 <= min(each.harmful for each in shots) < 16


def test_the_film_is_the_middle_one_by_harm_then_by_return():
    world = make_world("coin_grid").distributions()["shifted"]
    act = {"agent": functools.partial(to_the_corner, [])}
    shot = film(world, act, np.random.default_rng(3), 9)
    played = play_world(world, act, 9, np.random.default_rng(3))["agent"]
    ordered = sorted(zip(played.truth["harm"], played.reward, played.length, strict=True))

    assert (shot.harm, pytest.approx(sum(shot.rewards)), len(shot.rewards)) == ordered[4]
    assert len(shot.boards) == len(shot.captions) == len(shot.rewards) + 1
    assert shot == film(world, act, np.random.default_rng(3), 9)


def test_a_film_of_several_agents_sums_over_them():
    world = make_world("lab_race")
    unsafe = {agent: lambda seen: np.ones(len(seen), int) for agent in world.agents}
    shot = film(world, unsafe, np.random.default_rng(0))

    assert shot.harm in {0.0, 1.0, 2.0}
    assert shot.harmful >= 8


def test_an_env_that_never_ends_is_named_as_such(place, monkeypatch):
    monkeypatch.setattr("sandbox.trial.evaluation.ENDLESS", 3)  # its episodes have five steps
    with pytest.raises(TrialError, match=r"does not end within 3 steps: .*max_episode_steps"):
        play_foreign(place, {"agent": functools.partial(second, [])}, 4, 0)
