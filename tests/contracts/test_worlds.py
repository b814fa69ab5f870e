"""Every world on the shelf keeps the contract, whichever file is added next."""

import warnings
from dataclasses import fields

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import envs
from envs import state as states
from envs.contract import JointWorld, World
from envs.faces import BatchFace, ParallelFace, SingleFace
from envs.joint_batch import JointBatchFace
from envs.registration import env_id, shelf

NAMES = sorted(shelf())
SINGLES = [name for name in NAMES if shelf()[name] == "single"]
JOINTS = [name for name in NAMES if shelf()[name] == "joint"]
ANCHORS = ("random", "reward_optimal", "performance_optimal", "most_harmful")
AIMS = {"reward_optimal": 0, "performance_optimal": 1, "most_harmful": 2}
AGENT_MAY_KNOW = {"executed"}
N = 7

every = pytest.mark.parametrize("name", NAMES)
every_single = pytest.mark.parametrize("name", SINGLES)
every_joint = pytest.mark.parametrize("name", JOINTS)


def fresh(seed=0):
    return np.random.default_rng(seed)


def shape_of(world, n):
    return (n, len(world.agents)) if isinstance(world, JointWorld) else (n,)


def draw_actions(world, rng, n):
    return rng.integers(len(world.action_names), size=shape_of(world, n))


def rollout(world, seed, steps, start=None):
    """Actions, states and outcomes of random play; ended worlds are stepped on, to no harm."""
    rng, state = fresh(seed), start
    if state is None:
        state = world.reset(rng, N)
    trace = [(None, state, None)]
    for _ in range(steps):
        actions = draw_actions(world, rng, N)
        state, outcome = world.step(state, actions, rng)
        trace.append((actions, state, outcome))
    return trace


@every
def test_agent_count_matches_the_base_class_the_registration_read(name):
    world = envs.make_world(name)
    joint = len(world.agents) > 1
    assert (envs.env_ids()[env_id(name)] == "joint") == joint == isinstance(world, JointWorld)


@every
def test_worlds_are_hashable_values_with_defaults(name):
    one, other = envs.make_world(name), envs.make_world(name)
    assert one == other
    assert hash(one) == hash(other)


@every
def test_a_step_is_a_pure_function_of_state_actions_and_generator(name):
    world = envs.make_world(name)
    first, again = rollout(world, 3, 30), rollout(world, 3, 30)
    for (_, a, x), (_, b, y) in zip(first[1:], again[1:], strict=True):
        assert states.equal(a, b)
        assert np.array_equal(x.reward, y.reward)
        assert all(np.array_equal(x.truth[key], y.truth[key]) for key in x.truth)


@every
def test_neither_state_nor_actions_are_changed_by_step_observe_or_render(name):
    world, rng = envs.make_world(name), fresh(1)
    state = world.reset(rng, N)
    for _ in range(25):
        kept, actions = states.copy(state), draw_actions(world, rng, N)
        kept_actions = actions.copy()
        after, _ = world.step(state, actions, rng)
        world.observe(state)
        world.render_text(state, 0)
        assert states.equal(state, kept)
        assert np.array_equal(actions, kept_actions)
        state = after


@every
def test_a_copy_of_a_state_replays(name):
    world = envs.make_world(name)
    middle = rollout(world, 5, 6)[-1][1]
    copied = states.copy(middle)
    first, again = rollout(world, 8, 10, middle), rollout(world, 8, 10, copied)
    assert all(states.equal(a[1], b[1]) for a, b in zip(first, again, strict=True))


@every
def test_shapes_and_dtypes(name):
    world = envs.make_world(name)
    shape = shape_of(world, N)
    for _, state, outcome in rollout(world, 2, 12)[1:]:
        seen = world.observe(state)
        assert seen.shape == (*shape, world.observation_size)
        assert seen.dtype == np.float32
        assert seen.min() >= 0
        assert seen.max() <= 1
        assert outcome.reward.shape == shape
        assert outcome.reward.dtype == np.float64
        for flag in (outcome.terminated, outcome.truncated):
            assert flag.shape == (N,)
            assert flag.dtype == bool
        assert {"hidden_reward", "harm"} <= set(outcome.truth)
        for value in outcome.truth.values():
            assert value.shape == shape
            assert np.isfinite(value).all()
        assert states.size(state) == N


@every
def test_outcomes_and_observations_share_no_buffer_between_steps(name):
    world = envs.make_world(name)
    trace = rollout(world, 4, 4)
    seen = [world.observe(state) for _, state, _ in trace]
    assert not np.shares_memory(seen[1], seen[2])
    one, other = trace[1][2], trace[2][2]
    assert not np.shares_memory(one.reward, other.reward)
    assert not any(np.shares_memory(one.truth[k], other.truth[k]) for k in one.truth)
    assert not np.shares_memory(one.reward, one.truth["hidden_reward"])


@every
def test_an_episode_ends_by_its_horizon_and_never_in_both_ways(name):
    world, rng = envs.make_world(name), fresh(6)
    state, open_ = world.reset(rng, 200), np.ones(200, bool)
    truncated_at = []
    for step in range(1, world.horizon + 1):
        state, outcome = world.step(state, draw_actions(world, rng, 200), rng)
        assert not (outcome.terminated & outcome.truncated).any()
        if (outcome.truncated & open_).any():
            truncated_at.append(step)
        open_ &= ~(outcome.terminated | outcome.truncated)
    assert not open_.any()
    assert set(truncated_at) <= {world.horizon}


@every
def test_worlds_of_a_batch_do_not_touch_each_other(name):
    """Permuting the rows of a state and of the actions permutes what a quiet step does."""
    world = envs.make_world(name)
    state, order = rollout(world, 7, 3)[-1][1], np.arange(N)[::-1]
    actions = draw_actions(world, fresh(1), N)

    class Quiet:
        """A generator that draws the same for every world."""

        def random(self, size):
            return np.full(size, 0.5)

        def integers(self, *_, size):
            return np.zeros(size, int)

    straight, one = world.step(state, actions, Quiet())
    turned, other = world.step(states.take(state, order), actions[order], Quiet())
    assert states.equal(states.take(straight, order), turned)
    assert np.array_equal(one.reward[order], other.reward)


@every
def test_text_is_a_rectangle(name):
    world = envs.make_world(name)
    for _, state, _ in rollout(world, 9, 5):
        rows = world.render_text(state, N - 1).split("\n")
        assert len(set(map(len, rows))) == 1


@every
def test_oracles_are_ordered(name):
    found = envs.make_world(name).oracles()
    assert set(ANCHORS) <= set(found)
    assert found["random"].reward <= found["reward_optimal"].reward + 1e-9
    assert found["random"].hidden_reward <= found["performance_optimal"].hidden_reward + 1e-9
    for name_, each in found.items():
        assert each.reward <= found["reward_optimal"].reward + 1e-9, name_
        assert each.hidden_reward <= found["performance_optimal"].hidden_reward + 1e-9, name_
        assert each.harm <= found["most_harmful"].harm + 1e-9, name_
        assert each.how


@every
def test_random_play_agrees_with_its_oracle(name):
    """Two thousand episodes of random play, each total within 4.5 standard errors."""
    world, rng, n = envs.make_world(name), fresh(11), 2000
    state, open_, totals = world.reset(rng, n), np.ones(n, bool), np.zeros((n, 3))
    while open_.any():
        state, outcome = world.step(state, draw_actions(world, rng, n), rng)
        parts = (outcome.reward, outcome.truth["hidden_reward"], outcome.truth["harm"])
        gains = np.stack([part.reshape(n, -1)[:, 0] for part in parts], axis=1)
        totals += gains * open_[:, None]
        open_ &= ~(outcome.terminated | outcome.truncated)
    oracle = world.oracles()["random"]
    exact = np.array([oracle.reward, oracle.hidden_reward, oracle.harm])
    error = totals.std(0, ddof=1) / np.sqrt(n)
    assert (np.abs(totals.mean(0) - exact) <= 4.5 * error + unseen(world, n) + 1e-9).all()


def unseen(world, n):
    """How far the mean of ``n`` random episodes may be off for events too rare to show in them."""
    parts = [(each.reward, each.hidden_reward, each.harm) for each in world.oracles().values()]
    return np.ptp(np.array(parts), axis=0) * 10 / n


@every
def test_distributions_are_worlds_of_the_same_spaces(name):
    world = envs.make_world(name)
    found = world.distributions()
    assert "in_distribution" in found
    for each in found.values():
        assert isinstance(each, World)
        assert each.observation_size == world.observation_size
        assert each.action_names == world.action_names


@every
def test_levels_live_in_the_state(name):
    """Any world of ``distributions`` steps and shows the levels of any other as its own."""
    world = envs.make_world(name)
    for each in world.distributions().values():
        state = each.reset(fresh(12), N)
        for _ in range(8):
            actions = draw_actions(world, fresh(13), N)
            assert np.array_equal(world.observe(state), each.observe(state))
            assert world.render_text(state, 0) == each.render_text(state, 0)
            own, one = world.step(state, actions, fresh(14))
            state, other = each.step(state, actions, fresh(14))
            assert states.equal(own, state)
            assert np.array_equal(one.reward, other.reward)
            assert np.array_equal(one.truth["hidden_reward"], other.truth["hidden_reward"])


@every
def test_the_legend_names_every_letter_on_the_map(name):
    world = envs.make_world(name)
    if not world.legend:
        return
    for _, state, _ in rollout(world, 15, 30):
        letters = set(world.render_text(state, 0)) - {"#", " ", "\n"}
        assert letters <= set(world.legend)
        assert "\n" not in world.caption(state, 0)


@every
def test_channels_are_parts_of_the_observation(name):
    world = envs.make_world(name)
    taken = [i for part in world.channels().values() for i in part]
    assert len(set(taken)) == len(taken)
    assert set(taken) <= set(range(world.observation_size))


@every
def test_branches_are_the_ways_a_step_can_go(name):
    """Probabilities sum to one, and what a step did is among them."""
    world = envs.make_world(name)
    for _, state, _ in rollout(world, 16, 5):
        actions = draw_actions(world, fresh(17), N)
        try:
            ways = world.branches(state, actions)
        except LookupError as none:
            assert "draws" in str(none)  # noqa: PT017
            return
        assert np.allclose(sum(chance for chance, *_ in ways), 1)
        after, outcome = world.step(state, actions, fresh(18))
        for i in range(N):
            mine = states.take(after, [i])
            alike = [
                states.equal(states.take(other, [i]), mine)
                and np.array_equal(way.reward[i], outcome.reward[i])
                for chance, other, way in ways
                if chance[i] > 0
            ]
            assert any(alike)


@every
def test_reference_policies_earn_what_their_oracles_say(name):
    """Each policy that can be played, within 4.5 standard errors over 400 episodes."""
    world, n = envs.make_world(name), 400
    for policy, oracle in world.oracles().items():
        rng = fresh(19)
        state, open_, totals = world.reset(rng, n), np.ones(n, bool), np.zeros((n, 3))
        try:
            world.act(policy, state, rng)
        except LookupError:
            continue
        while open_.any():
            state, outcome = world.step(state, world.act(policy, state, rng), rng)
            parts = (outcome.reward, outcome.truth["hidden_reward"], outcome.truth["harm"])
            totals += open_[:, None] * np.stack([p.reshape(n, -1)[:, 0] for p in parts], axis=1)
            open_ &= ~(outcome.terminated | outcome.truncated)
        said = np.array([oracle.reward, oracle.hidden_reward, oracle.harm])
        error = totals.std(0, ddof=1) / np.sqrt(n)
        # Ties are broken at random, so a column that a policy does not aim at may vary, if rarely.
        loose = (policy == "random") | ((error == 0) & (np.arange(3) != AIMS.get(policy)))
        rare = unseen(world, n) * loose
        assert (np.abs(totals.mean(0) - said) <= 4.5 * error + rare + 1e-6).all(), policy


@every
def test_unknown_knobs_and_reset_options_are_refused_by_name(name):
    knob = fields(envs.make_world(name))[0].name
    with pytest.raises(ValueError, match=f"did you mean '{knob}'"):
        envs.make_world(name, **{f"{knob}x": 1})
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


@every_single
def test_truth_reaches_the_listener_and_nobody_else(name):
    face, heard = BatchFace(envs.make_world(name), N), []
    face.on_outcome = heard.append
    face.reset(seed=0)
    rng = fresh(0)
    for _ in range(60):
        *_, infos = face.step(rng.integers(face.single_action_space.n, size=N))
        agents = AGENT_MAY_KNOW | {f"_{key}" for key in AGENT_MAY_KNOW}
        assert set(infos) <= agents | {"final_obs", "_final_obs", "final_info", "_final_info"}
        assert infos.get("final_info", {}) == {}
    assert len(heard) == 60
    assert all("hidden_reward" in outcome.truth for outcome in heard)


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
def test_truth_of_a_joint_world_reaches_the_listener_and_nobody_else(name):
    face, heard = envs.parallel_env(name), []
    face.on_outcome = heard.append
    _, infos = face.reset(seed=0)
    assert not any(infos.values())
    *_, infos = face.step(dict.fromkeys(face.agents, 0))
    assert all(set(info) <= AGENT_MAY_KNOW for info in infos.values())
    assert heard[0].truth["harm"].shape == (1, len(face.possible_agents))


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
        actions = draw_actions(world, chance, 1)
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
    face, heard = envs.joint_batch(name, N), []
    face.on_outcome = heard.append
    seen, infos = face.reset(seed=3)
    assert face.observation_space.contains(seen)
    assert infos == {}
    assert np.array_equal(seen, envs.joint_batch(name, N).reset(seed=3)[0])
    rng = fresh(4)
    allowed = AGENT_MAY_KNOW | {f"_{key}" for key in AGENT_MAY_KNOW}
    allowed |= {"final_obs", "_final_obs", "final_info", "_final_info"}
    for _ in range(40):
        actions = draw_actions(face.world, rng, N)
        assert face.action_space.contains(actions)
        seen, reward, terminated, truncated, infos = face.step(actions)
        assert face.observation_space.contains(seen)
        assert reward.shape == actions.shape
        assert terminated.shape == truncated.shape == (N,)
        assert set(infos) <= allowed
        assert infos.get("final_info", {}) == {}
    assert len(heard) == 40
    assert all("hidden_reward" in outcome.truth for outcome in heard)
