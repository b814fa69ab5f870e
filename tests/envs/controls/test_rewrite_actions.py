"""Actions that ask for a rewrite: what they cost, what the world does meanwhile, who knows it."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import envs  # noqa: F401  (registers our ids)
from envs.control_kit.meter import ControlMeter
from envs.controls.rewrite_actions import RewriteActions
from envs.controls.sticky_actions import StickyActions

COPIES, SPAN = 4, 4000


def coin():
    return gym.make_vec("sandbox/CoinGrid-v0", num_envs=COPIES, size=5)


def gauged(control, env, seed=0):
    duplicates = (np.random.default_rng(seed) for _ in range(2))
    control_meter = ControlMeter(
        control, env, rng=next(duplicates), duplicate=next(duplicates), span_steps=SPAN
    )
    control_meter.env.reset(seed=1)
    return control_meter


def test_a_request_is_the_noop_at_a_price_and_reported_as_done():
    """Beside a duplicate that is given the noop where the other asks."""
    control_meter = gauged(RewriteActions(intensity=0.25, actions=2, noop=-1), coin())
    plain = coin()
    plain.reset(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(200):
        chosen = rng.integers(6, size=COPIES)
        asked = chosen >= 4
        one, other = control_meter.env.step(chosen), plain.step(np.where(asked, 3, chosen))

        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1], other[1] - 0.25 * asked)
        truth = control_meter.env.unwrapped.last
        assert np.array_equal(truth.reward, other[1])  # the world's truth knows no price
        assert np.array_equal(one[2] | one[3], other[2] | other[3])
        assert "executed" not in one[4]


def test_where_a_world_replaces_actions_a_request_is_still_a_request():
    env = gym.make_vec("sandbox/SafeInterruptibility-v0", num_envs=COPIES)
    control_meter = gauged(RewriteActions(intensity=0.1, actions=3), env)
    rng, replaced = np.random.default_rng(0), 0
    for _ in range(300):
        chosen = rng.integers(7, size=COPIES)
        executed = control_meter.env.step(chosen)[-1]["executed"]

        assert np.array_equal(executed[chosen >= 4], chosen[chosen >= 4])
        assert (executed[chosen < 4] < 4).all()
        replaced += int((executed != chosen).sum())
    assert replaced > 10


def test_requests_are_counted_copy_by_copy_between_two_readings():
    control_meter = gauged(RewriteActions(intensity=0.1, actions=2), coin())
    assert control_meter.actions == 4
    for chosen in ([4, 0, 5, 4], [4, 1, 2, 3]):
        control_meter.env.step(np.array(chosen))
    found = control_meter.read()

    assert control_meter.requests.tolist() == [[2, 0], [0, 0], [0, 1], [1, 0]]
    assert found.measured["actions_added"] == 2
    assert found.measured["reward_change"] == pytest.approx(0.1 * 4 / 8)
    assert found.measured["rewards_changed"] == 4 / 8
    control_meter.read()
    assert not control_meter.requests.any()


def test_outside_its_span_a_request_is_free_and_not_counted():
    control_meter = gauged(RewriteActions(intensity=0.5, start=0.5), coin())
    plain = coin()
    plain.reset(seed=1)
    seen = control_meter.env.step(np.full(COPIES, 7))
    wanted = plain.step(np.zeros(COPIES, np.int64))
    control_meter.read()

    assert all(np.array_equal(one, other) for one, other in zip(seen[:4], wanted[:4], strict=True))
    assert not control_meter.requests.any()


def test_a_request_that_sticks_is_asked_and_charged_again():
    """Sticky actions lie around: they know the added actions, and the price reaches them."""
    inner = gauged(RewriteActions(intensity=0.5, actions=1), coin())
    outer = gauged(StickyActions(intensity=1.0), inner.env)
    outer.env.step(np.full(COPIES, 4))
    _, rewards, *_, infos = outer.env.step(np.zeros(COPIES, np.int64))
    inner.read()

    assert (rewards <= -0.5 + 1).all()
    assert infos["executed"].tolist() == [4] * COPIES
    assert inner.requests.sum() == 2 * COPIES
    assert outer.actions == 5


def test_actions_that_count_from_1_are_offered_behind_the_last():
    class Informed(gym.Env):
        observation_space = gym.spaces.Box(0, 9, (1,), np.float32)
        action_space = gym.spaces.Discrete(3, start=1)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return np.zeros(1, np.float32), {}

        def step(self, action):
            return np.array([action], np.float32), float(action), False, False, {}

    mode = {"autoreset_mode": AutoresetMode.SAME_STEP}
    control_meter = gauged(
        RewriteActions(intensity=1.0, actions=2, noop=1),
        gym.vector.SyncVectorEnv([Informed] * 2, **mode),
    )
    assert control_meter.env.single_action_space == gym.spaces.Discrete(5, start=1)
    seen, rewards, *_ = control_meter.env.step(np.array([3, 5]))
    control_meter.read()

    assert seen.ravel().tolist() == [3, 2]
    assert rewards.tolist() == [3, 1]
    assert control_meter.requests.tolist() == [[0, 0], [0, 1]]


def test_what_means_nothing_is_refused():
    assert "noop must be one of its 4 actions" in RewriteActions(noop=4).refuse(coin())
    with pytest.raises(ValueError, match="actions must be a whole number from 1"):
        RewriteActions(actions=0)
    with pytest.raises(ValueError, match="noop must be the number"):
        RewriteActions(noop=0.5)
    with pytest.raises(ValueError, match="below 8"):
        gauged(RewriteActions(intensity=0.5), coin()).env.step(np.full(COPIES, 8))
