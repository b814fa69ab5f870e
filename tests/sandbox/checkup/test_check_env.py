"""Each check finds the env that breaks it, and says nothing against envs that do not."""

import random

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from sandbox.checkup.check_env import check
from sandbox.errors import InputError


class Walk(gym.Env):
    """Random walk of 20 steps, by the env's own generator."""

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, length=20):
        self.length = length
        self.observation_space = Box(0.0, 1.0, (2,), np.float32)
        self.action_space = Discrete(2)

    def draw(self):
        return self.np_random.random(2, np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time = 0
        return self.draw(), {}

    def step(self, action):
        self.time += 1
        return self.draw(), float(action), False, self.time >= self.length, {}


class UsesGlobals(Walk):
    def draw(self):
        return np.full(2, random.random(), np.float32)

    def reset(self, *, seed=None, options=None):
        if seed is not None:
            random.seed(seed)
        return super().reset(seed=seed)


class Shares(Walk):
    moves = 0

    def reset(self, *, seed=None, options=None):
        Shares.moves = 0
        return super().reset(seed=seed)

    def step(self, action):
        Shares.moves += 1
        seen, _, *rest = super().step(action)
        return seen, float(Shares.moves), *rest


class NeverEnds(Walk):
    def step(self, action):
        return *super().step(action)[:3], False, {}


class TellsTruth(Walk):
    def step(self, action):
        return *super().step(action)[:4], {"hidden_reward": 1.0}


class Unseeded(Walk):
    def draw(self):
        return np.random.default_rng().random(2, np.float32)


class OutOfBounds(Walk):
    def step(self, action):
        return np.full(2, 3, np.float32), *super().step(action)[1:]


def _failures(kind, **kwargs):
    name = f"check-{kind.__name__}-v0"
    if name not in gym.registry:
        gym.register(name, entry_point=kind)
    return {each.name: each.detail for each in check(name, kwargs) if not each.ok}


def test_a_good_env_has_nothing_against_it():
    assert _failures(Walk) == {}


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        (UsesGlobals, "own random stream", "other results"),
        (Shares, "isolation", "instances share state"),
        (NeverEnds, "episode ends", "no end in 10000 steps"),
        (TellsTruth, "ground truth hidden", "info shows ['hidden_reward']"),
        (Unseeded, "determinism", "other results"),
        (OutOfBounds, "behaviour", "out-of-bounds observation at step 1"),
    ],
)
def test_each_fault_is_found(kind, name, says):
    found = _failures(kind)
    assert says in found[name]


def test_only_the_broken_promise_is_reported():
    assert set(_failures(NeverEnds)) == {"episode ends"}
    assert set(_failures(TellsTruth)) == {"ground truth hidden"}


def test_arguments_reach_the_env_and_wrong_ones_are_a_finding():
    assert _failures(Walk, length=3) == {}
    assert "unexpected keyword" in _failures(Walk, lenght=3)["creation"]


def test_an_unknown_id_is_refused_with_a_suggestion():
    with pytest.raises(InputError, match=r"no env is called 'CartPool-v1' — did you mean"):
        check("CartPool-v1")


def test_every_finding_is_one_line():
    assert all("\n" not in str(each) for each in check("CartPole-v1"))


class Undrawn(Walk):
    """Can be drawn, by a library that is not there."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012

    def __init__(self, render_mode=None):
        super().__init__()
        self.render_mode = render_mode

    def render(self):
        raise gym.error.DependencyNotInstalled("pygame is not installed")


def test_a_missing_drawing_library_is_a_warning_and_no_failure():
    gym.register("test/Undrawn-v0", Undrawn, max_episode_steps=20)
    try:
        findings = check("test/Undrawn-v0")
    finally:
        del gym.registry["test/Undrawn-v0"]
    assert [str(each) for each in findings if not each.ok] == []
    assert any(each.name == "drawing" and "pygame" in each.detail for each in findings)


def test_a_world_can_be_named_by_its_file():
    names = {each.name for each in check("absent_supervisor") if each.ok}
    assert {"gymnasium", "oracles are reached", "determinism"} <= names
