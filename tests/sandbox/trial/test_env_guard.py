"""Every env of the corpus ends as one named ``TrialError``; good envs pass unchanged."""

import importlib.util
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from sandbox.errors import TrialError
from sandbox.trial.env_guard import GuardedEnv, GuardedParallelEnv, GuardedVectorEnv


def _corpus():
    path = Path(__file__).parent / "bad_envs" / "bad_envs.py"
    spec = importlib.util.spec_from_file_location("bad_envs_corpus", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


corpus = _corpus()


def _live(env, steps=30):
    env.reset(seed=1)
    for _ in range(steps):
        *_, terminated, truncated, _ = env.step(0)
        if terminated or truncated:
            env.reset()


def _live_vector(env, steps=30):
    env.reset(seed=1)
    for _ in range(steps):
        env.step(np.zeros(3, int))


def _live_joint(env, steps=20):
    env.reset(seed=1)
    for _ in range(steps):
        env.step(dict.fromkeys(env.agents, 0))


def _vector(make, n=3):
    return SyncVectorEnv([make] * n, autoreset_mode=AutoresetMode.SAME_STEP)


@pytest.mark.parametrize("name", corpus.BAD)
def test_a_bad_env_is_named_with_what_it_did(name):
    make, says = corpus.BAD[name]
    with pytest.raises(TrialError) as caught:
        _live(GuardedEnv(make(), "x"))
    assert str(caught.value).startswith(f"env 'x' {says}")


@pytest.mark.parametrize("name", corpus.BAD)
def test_a_vector_of_bad_envs_says_the_same(name):
    """Also through Gymnasium's own wrappers, which ``gym.make`` puts around every env."""
    make, says = corpus.BAD[name]
    if f"Bad{name}-v0" not in gym.registry:
        gym.register(f"Bad{name}-v0", entry_point=make, max_episode_steps=100)
    env = GuardedVectorEnv(_vector(lambda: gym.make(f"Bad{name}-v0")), "x")
    with pytest.raises(TrialError) as caught:
        _live_vector(env)
    assert str(caught.value).startswith(f"env 'x' {says}")


def test_a_good_env_passes_unchanged_and_every_step_is_a_heartbeat():
    beats = []
    guarded = GuardedVectorEnv(_vector(corpus.Good), "x", lambda: beats.append(1))
    plain = _vector(corpus.Good)
    assert np.array_equal(guarded.reset(seed=1)[0], plain.reset(seed=1)[0])
    for _ in range(50):
        ours, theirs = guarded.step(np.zeros(3, int)), plain.step(np.zeros(3, int))
        for mine, other in zip(ours[:4], theirs[:4], strict=True):
            assert np.array_equal(mine, other)
    assert len(beats) == 50
    guarded.close()


def test_a_native_vector_env_is_guarded_too():
    env = GuardedVectorEnv(gym.make_vec("CartPole-v1", num_envs=4), "x")
    env.reset(seed=1)
    for _ in range(100):
        env.step(np.zeros(4, int))
    env.env.unwrapped.state[:] = np.nan
    with pytest.raises(TrialError, match=r"non-finite observation at step 101"):
        env.step(np.zeros(4, int))


@pytest.mark.parametrize("name", corpus.JOINT)
def test_a_bad_joint_env_is_named_with_what_it_did(name):
    make, says = corpus.JOINT[name]
    env = GuardedParallelEnv(make(), "x")
    with pytest.raises(TrialError) as caught:
        _live_joint(env)
    assert str(caught.value) == f"env 'x' {says}"


def test_a_good_joint_env_passes_with_an_agent_that_ends_early():
    env = GuardedParallelEnv(corpus.GoodJoint(), "x")
    env.reset(seed=1)
    while env.agents:
        _, rewards, *_ = env.step(dict.fromkeys(env.agents, 0))
    assert set(rewards) == {"a"}


def test_a_joint_env_that_writes_into_what_it_gave_does_no_harm():
    env = GuardedParallelEnv(corpus.GoodJoint(), "x")
    buffer = np.zeros(2, np.float32)
    env.env.seen = lambda: dict.fromkeys(env.env.agents, buffer)
    seen, _ = env.reset(seed=1)
    buffer[:] = 1
    assert (seen["a"] == 0).all()
