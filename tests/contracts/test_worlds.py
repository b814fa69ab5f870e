"""The faces of every world there is, whichever file is added next.

What a world itself promises is in ``test_world_promises.py``.
"""

import warnings
from dataclasses import fields

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import envs
from envs.contract import JointWorld
from envs.faces.gymnasium import BatchFace, SingleFace
from envs.faces.joint_batch import JointBatchFace
from envs.faces.pettingzoo import ParallelFace
from envs.registration import env_id, worlds_by_name

NAMES = sorted(worlds_by_name())
SINGLES = [name for name in NAMES if worlds_by_name()[name] == "single"]
JOINTS = [name for name in NAMES if worlds_by_name()[name] == "joint"]
ANCHORS = ("random", "reward_optimal", "performance_optimal", "most_harmful")
AIMS = {"reward_optimal": 0, "performance_optimal": 1, "most_harmful": 2}
AGENT_MAY_KNOW = {"executed", "label"}
N = 7

every = pytest.mark.parametrize("name", NAMES)
every_single = pytest.mark.parametrize("name", SINGLES)
every_joint = pytest.mark.parametrize("name", JOINTS)


def fresh(seed=0):
    return np.random.default_rng(seed)


@every
def test_agent_count_matches_the_base_class_the_registration_read(name):
    world = envs.make_world(name)
    joint = len(world.agents) > 1
    assert (envs.env_ids()[env_id(name)] == "joint") == joint == isinstance(world, JointWorld)


@every
def test_unknown_settings_and_reset_options_are_refused_by_name(name):
    setting = fields(envs.make_world(name))[0].name
    with pytest.raises(ValueError, match=f"did you mean '{setting}'"):
        envs.make_world(name, **{f"{setting}x": 1})
    with pytest.raises(ValueError, match="nonsense"):
        envs.make_world(name).reset(fresh(), 1, {"nonsense": 1})


@every_single
def test_single_and_batch_face_agree_step_by_step(name):
    world = envs.make_world(name)
    single, batch = SingleFace(world), BatchFace(world, 1)
    single.rng, batch.rng = fresh(5), fresh(5)
    seen, info = single.reset()
    seen_b, _ = batch.reset()
    chance = fresh(6)
    for _ in range(300):
        assert np.array_equal(seen, seen_b[0])
        assert set(info) <= AGENT_MAY_KNOW
        action = int(chance.integers(len(world.action_names)))
        seen, reward, terminated, truncated, info = single.step(action)
        seen_b, rewards, terminations, truncations, infos = batch.step(np.array([action]))
        assert (reward, terminated, truncated) == (rewards[0], terminations[0], truncations[0])
        assert ("final_obs" in infos) == (terminated or truncated)
        if terminated or truncated:
            assert np.array_equal(infos["final_obs"][0], seen)
            seen, info = single.reset()


class Alike:
    """A generator whose every call draws one number, the same for all worlds of a batch."""

    def __init__(self, seed):
        self.inner = fresh(seed)

    def random(self, size):
        return np.full(size, self.inner.random())

    def integers(self, *bounds, size):
        return np.full(size, self.inner.integers(*bounds))


@every_single
def test_each_world_of_a_batch_does_what_a_single_one_does(name):
    """Same draws, options and actions: five worlds side by side are five times the single one."""
    world, n = envs.make_world(name), 5
    single, batch = SingleFace(world), BatchFace(world, n)
    single.rng, batch.rng = Alike(7), Alike(7)
    seen, many = single.reset()[0], batch.reset()[0]
    chance = fresh(8)
    for _ in range(150):
        assert np.array_equal(np.tile(seen, (n, 1)), many)
        action = int(chance.integers(len(world.action_names)))
        seen, reward, terminated, truncated, _ = single.step(action)
        many, rewards, terminations, truncations, _ = batch.step(np.full(n, action))
        assert (rewards == reward).all()
        assert (terminations == terminated).all()
        assert (truncations == truncated).all()
        if terminated or truncated:
            seen = single.reset()[0]


@every_single
def test_truth_comes_beside_a_step_and_never_in_it(name):
    face = BatchFace(envs.make_world(name), N)
    face.reset(seed=0)
    rng = fresh(0)
    for _ in range(60):
        advance = face.advance(rng.integers(face.single_action_space.n, size=N))
        *_, infos = advance.public
        assert "hidden_reward" in advance.outcome.truth
        agents = AGENT_MAY_KNOW | {f"_{key}" for key in AGENT_MAY_KNOW}
        assert set(infos) <= agents | {"final_obs", "_final_obs", "final_info", "_final_info"}
        assert infos.get("final_info", {}) == {}


@every_single
@pytest.mark.filterwarnings("error")
def test_gymnasium_accepts_the_single_face(name):
    env = gymnasium.make(env_id(name), render_mode="rgb_array")
    check_env(env.unwrapped, skip_render_check=False)


@every_single
@pytest.mark.filterwarnings("error")
def test_stable_baselines_accepts_the_single_face(name):
    from stable_baselines3.common.env_checker import check_env as check

    check(gymnasium.make(env_id(name)).unwrapped, warn=True)


@every_single
def test_make_vec_is_the_native_batch(name):
    env = gymnasium.make_vec(env_id(name), num_envs=64)
    assert type(env) is BatchFace
    assert env.metadata["autoreset_mode"] is gymnasium.vector.AutoresetMode.SAME_STEP
    seen, _ = env.reset(seed=1)
    assert env.observation_space.contains(seen)
    again, _ = env.reset(seed=1)
    assert np.array_equal(seen, again)


@every_joint
def test_gymnasium_points_to_the_parallel_env(name):
    for make in (gymnasium.make, gymnasium.make_vec):
        with pytest.raises(gymnasium.error.Error, match=r"envs\.parallel_env") as caught:
            make(env_id(name))
        assert "\n" not in str(caught.value)


@every_joint
@pytest.mark.filterwarnings("error")
def test_pettingzoo_accepts_the_parallel_face(name):
    with warnings.catch_warnings():
        # PettingZoo's test package imports one of its own envs by a way it deprecates itself.
        warnings.filterwarnings("ignore", "The old environment creation API", DeprecationWarning)
        from pettingzoo.test import parallel_api_test, parallel_seed_test

    parallel_api_test(envs.parallel_env(name), num_cycles=300)
    parallel_seed_test(lambda: envs.parallel_env(env_id(name)), num_cycles=50)


@every_joint
@pytest.mark.filterwarnings("error")
def test_a_parallel_episode_is_over_by_the_horizon(name):
    """What PettingZoo's max_cycles test asks of envs that take that argument."""
    face = envs.parallel_env(name)
    assert isinstance(face, ParallelFace)
    for seed in range(20):
        face.reset(seed=seed)
        cycles = 0
        while face.agents:
            face.step({agent: face.action_space(agent).sample() for agent in face.agents})
            cycles += 1
        assert cycles <= face.world.horizon


@every_joint
def test_truth_of_a_joint_world_comes_beside_a_step_and_never_in_it(name):
    face = envs.parallel_env(name)
    _, infos = face.reset(seed=0)
    assert not any(infos.values())
    advance = face.advance(dict.fromkeys(face.agents, 0))
    *_, infos = advance.public
    assert all(set(info) <= AGENT_MAY_KNOW for info in infos.values())
    assert advance.outcome.truth["harm"].shape == (1, len(face.possible_agents))


@every_joint
def test_parallel_and_joint_batch_face_agree_step_by_step(name):
    world = envs.make_world(name)
    parallel, batch = ParallelFace(world, rng=fresh(5)), JointBatchFace(world, 1, rng=fresh(5))
    seen, infos = parallel.reset()
    seen_b, infos_b = batch.reset()
    chance = fresh(6)

    def rows(by_agent):
        return np.stack([by_agent[agent] for agent in world.agents])

    for _ in range(300):
        assert np.array_equal(rows(seen), seen_b[0])
        actions = chance.integers(len(world.action_names), size=(1, len(world.agents)))
        chosen = dict(zip(world.agents, actions[0].tolist(), strict=True))
        seen, reward, terminated, truncated, infos = parallel.step(chosen)
        seen_b, rewards, terminations, truncations, infos_b = batch.step(actions)
        assert np.array_equal(rows(reward), rewards[0])
        assert set(terminated.values()) == {terminations[0]}
        assert set(truncated.values()) == {truncations[0]}
        if "executed" in infos_b:
            carried_out = {agent: info["executed"] for agent, info in infos.items()}
            assert np.array_equal(rows(carried_out), infos_b["executed"][0])
        assert ("final_obs" in infos_b) == (not parallel.agents)
        if not parallel.agents:
            assert np.array_equal(infos_b["final_obs"][0], rows(seen))
            seen, infos = parallel.reset()


@every_joint
def test_the_joint_batch_is_a_vector_env_with_a_row_an_agent(name):
    face = envs.joint_batch(name, N)
    seen, infos = face.reset(seed=3)
    assert face.observation_space.contains(seen)
    assert infos == {}
    assert np.array_equal(seen, envs.joint_batch(name, N).reset(seed=3)[0])
    rng = fresh(4)
    allowed = AGENT_MAY_KNOW | {f"_{key}" for key in AGENT_MAY_KNOW}
    allowed |= {"final_obs", "_final_obs", "final_info", "_final_info"}
    for _ in range(40):
        actions = rng.integers(len(face.world.action_names), size=(N, len(face.world.agents)))
        assert face.action_space.contains(actions)
        advance = face.advance(actions)
        seen, reward, terminated, truncated, infos = advance.public
        assert face.observation_space.contains(seen)
        assert "hidden_reward" in advance.outcome.truth
        assert reward.shape == actions.shape
        assert terminated.shape == truncated.shape == (N,)
        assert set(infos) <= allowed
        assert infos.get("final_info", {}) == {}
