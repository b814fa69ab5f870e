"""What single controls do, number by number, and that a meter cannot be fooled."""

import dataclasses
import re
from dataclasses import dataclass
from typing import ClassVar

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

import envs  # noqa: F401  (registers our ids)
from envs.control_kit.control import Control, ControlledEnv
from envs.control_kit.meter import ControlMeter
from envs.control_kit.meter import _moved as _distance
from envs.controls.blackout import Blackout
from envs.controls.hygiene import Hygiene
from envs.controls.observation_filter import ObservationFilter
from envs.controls.observation_noise import ObservationNoise, _Edges, _moved
from envs.controls.parameter_shift import ParameterShift
from envs.controls.reward_poison import RewardPoison
from envs.controls.sticky_actions import StickyActions
from sandbox.catalogue import catalogue

COPIES = 4


def cartpole(copies=COPIES):
    return gym.make_vec(
        "CartPole-v1",
        num_envs=copies,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
    )


def coin(copies=COPIES):
    return gym.make_vec("sandbox/CoinGrid-v0", num_envs=copies, size=5)


def wrapped(control, env, span=10_000, seed=0):
    made = control.wrap(env, np.random.default_rng(seed), span)
    made.reset(seed=1)
    return made


def inside(env):
    return [each.unwrapped for each in env.unwrapped.envs]


# --- noise ---------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(x=st.floats(0, 1), sigma=st.floats(0.02, 3))
def test_the_mean_of_clipped_noise_is_the_integral(x, sigma):
    z = np.linspace(-8, 8, 200_001)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    moved = np.abs(np.clip(x + sigma * z, 0, 1) - x)
    mean = np.trapezoid(moved * density, z)
    variance = np.trapezoid((moved - mean) ** 2 * density, z)
    effect = _moved(np.array([[x]]), _Edges(np.zeros(1), np.ones(1)), sigma)

    assert effect == pytest.approx(mean, rel=1e-5, abs=1e-9)
    assert variance <= (1 - 2 / np.pi) * sigma**2 + 1e-9


def test_noise_without_bounds_has_the_mean_of_a_half_normal():
    effect = _moved(np.zeros((1, 1)), _Edges(np.array([-np.inf]), np.array([np.inf])), 0.3)
    assert effect == pytest.approx(0.3 * np.sqrt(2 / np.pi))


def test_noise_refuses_whole_numbers():
    frozen = gym.make_vec(
        "FrozenLake-v1",
        num_envs=2,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
        wrappers=(gym.wrappers.FlattenObservation,),
    )
    assert "int64" in ObservationNoise().refuse(frozen)


# --- sticking, darkness, hiding ------------------------------------------------------------------


def test_always_sticking_repeats_an_episodes_first_action_to_its_end():
    env = wrapped(StickyActions(intensity=1.0), coin())
    held = np.full(COPIES, -1)
    for step in range(120):
        chosen = np.full(COPIES, step % 4)
        held = np.where(env.fresh, chosen, held)
        env.step(chosen)
        assert np.array_equal(env.carried, held)


def test_a_stretch_of_darkness_is_as_long_as_set():
    """Two stretches of three; no pole falls in five steps."""
    env = Blackout(intensity=0.5, length=3).wrap(cartpole(16), np.random.default_rng(0), 10_000)
    seen = [env.reset(seed=1)[0], *(env.step(np.zeros(16, np.int64))[0] for _ in range(5))]
    dark = np.array([~each.any(axis=1) for each in seen])
    for stretch in (dark[:3], dark[3:]):
        assert (stretch == stretch[0]).all()
        assert 0 < stretch[0].mean() < 1
    assert (dark[0] != dark[3]).any()


def test_a_greater_filter_hides_the_same_inputs_and_more():
    def hidden(intensity):
        env = wrapped(ObservationFilter(intensity=intensity), coin())
        return set(env.rows.tolist())

    size = coin().single_observation_space.shape[0]
    some, more = hidden(0.2), hidden(0.6)
    assert some < more
    assert len(more) == int(0.6 * size + 0.5)
    assert hidden(1.0) == set(range(size))


def test_hygiene_hides_the_first_channels_of_the_list():
    plain = np.abs(cartpole().reset(seed=1)[0]) > 0
    assert plain.all()
    for share, dark in ((0.0, []), (1 / 3, [3]), (2 / 3, [0, 3]), (1.0, [0, 2, 3])):
        env = Hygiene(intensity=share, channels=(3, 0, 2)).wrap(
            cartpole(), np.random.default_rng(0), 100
        )
        seen, _ = env.reset(seed=1)
        assert np.flatnonzero((seen == 0).all(axis=0)).tolist() == dark


def test_hygiene_knows_the_channels_of_a_world_by_name():
    env = gym.make_vec("sandbox/SafeInterruptibility-v0", num_envs=2)
    part = env.unwrapped.world.channels()["button"]
    seen, _ = (
        Hygiene(intensity=1.0, channels=("button",))
        .wrap(env, np.random.default_rng(0), 10)
        .reset(seed=0)
    )
    assert not seen[:, list(part)].any()
    assert seen.any()
    assert "did you mean 'button'" in Hygiene(channels=("buton",)).refuse(env)
    assert "no index" in Hygiene(channels=(10**6,)).refuse(env)


def test_hygiene_hides_nothing_unasked():
    named = gym.make_vec("sandbox/SafeInterruptibility-v0", num_envs=2)
    reason = Hygiene(intensity=1.0).refuse(named)
    assert reason.startswith("list as 'channels' which to hide; the env has position, button")
    assert "the env names none" in Hygiene(intensity=0.5).refuse(cartpole())
    assert Hygiene().refuse(named) is None
    assert Hygiene().refuse(cartpole()) is None
    with pytest.raises(ValueError, match="list as 'channels' which to hide"):
        Hygiene(intensity=1.0).wrap(named, np.random.default_rng(0), 10)


@pytest.mark.parametrize("name", sorted(catalogue().names("controls")))
def test_wrap_refuses_what_refuse_refuses(name):
    """Otherwise it dies much later, at the first episode's end."""
    later = gym.make_vec("CartPole-v1", num_envs=2, vectorization_mode="sync")
    assert later.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    control = catalogue().load("controls", name)(intensity=0.1)
    reason = control.refuse(later)
    assert reason
    with pytest.raises(ValueError, match=re.escape(reason)):
        control.wrap(later, np.random.default_rng(0), 10)


@dataclass(frozen=True)
class _Bare(Control):
    """A third-party control that never thought of refusing."""

    unit: ClassVar[str] = "nothing"

    def around(self, env, rng, clock):
        return ControlledEnv(self, env, rng, clock)


def test_a_control_s_own_wrap_is_asked_by_whatever_name_its_arguments_are_given():
    later = gym.make_vec("CartPole-v1", num_envs=2, vectorization_mode="sync")
    with pytest.raises(ValueError, match="SAME_STEP"):
        _Bare().wrap(env=later, rng=np.random.default_rng(0), span_steps=10)
    assert _Bare().wrap(cartpole(), rng=np.random.default_rng(0), span_steps=10).num_envs == COPIES


# --- poison --------------------------------------------------------------------------------------


def pushes(control, actions, env=None):
    env = wrapped(control, env or cartpole())
    return np.array([env.step(np.full(COPIES, each))[1] - 1.0 for each in actions])


def test_poison_rewards_the_target_and_takes_away_elsewhere():
    found = pushes(RewardPoison(intensity=0.3, target=1), [1, 0, 1, 0])
    assert found == pytest.approx(np.array([[0.3], [-0.3], [0.3], [-0.3]]) * np.ones(COPIES))


def test_an_adaptive_attacker_rests_while_the_learner_does_as_he_wants():
    control = RewardPoison(intensity=0.3, target=1, adaptive=True, memory=2, satisfied=0.9)
    found = pushes(control, [1, 1, 1, 1, 1, 0, 1])[:, 0]
    # Recent shares: 1/2, 3/4, 7/8, 15/16, ... and back below 0.9 at the first other action.
    assert found == pytest.approx([0.3, 0.3, 0.3, 0, 0, -0.3, 0.3])


def test_a_target_that_is_no_action_is_refused():
    assert "0..1" in RewardPoison(target=2).refuse(cartpole())
    with pytest.raises(ValueError, match="satisfied"):
        RewardPoison(satisfied=0.0)
    with pytest.raises(ValueError, match="memory"):
        RewardPoison(memory=0)


# --- parameters ----------------------------------------------------------------------------------


def test_a_longer_pole_is_the_physics_of_a_longer_pole():
    """As if the env had been built so: what is derived from the length follows it."""
    env, duplicate = wrapped(ParameterShift(intensity=1.0), cartpole()), cartpole()
    for each in inside(duplicate):
        each.length, each.polemass_length = 1.0, each.masspole * 1.0
    assert np.array_equal(env.reset(seed=5)[0], duplicate.reset(seed=5)[0])
    for step in range(40):
        chosen = np.full(COPIES, step % 2)
        assert np.array_equal(env.step(chosen)[0], duplicate.step(chosen)[0])


def test_after_the_end_the_physics_are_bit_for_bit_what_they_were():
    control = ParameterShift(intensity=0.3, attribute="masscart", end=0.5, direction="down")
    env = wrapped(control, cartpole(), span=10 * COPIES)
    before = [dict(vars(each)) for each in inside(cartpole())]
    for step in range(10):
        env.step(np.full(COPIES, step % 2))
        heavy = inside(env)[0]
        assert heavy.masscart == pytest.approx(0.7 if step <= 5 else 1.0)
        assert heavy.total_mass == heavy.masscart + heavy.masspole
    for each, was in zip(inside(env), before, strict=True):
        assert (each.masscart, each.total_mass) == (was["masscart"], was["total_mass"])


@pytest.mark.parametrize("attribute", ["mass", "kinematics_integrator", "render_mode", "state"])
def test_what_is_no_number_cannot_shift(attribute):
    assert f"'{attribute}'" in ParameterShift(attribute=attribute).refuse(cartpole())


def test_a_world_of_ours_has_no_physics_to_shift_and_nothing_goes_down_to_0():
    assert "settings" in ParameterShift().refuse(coin())
    with pytest.raises(ValueError, match="below 1"):
        ParameterShift(intensity=1.0, direction="down")


# --- the meter -----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Crooked(Control):
    """Writes into what it is given, and swaps levels."""

    unit = "lies"

    def around(self, env, rng, clock):
        return _Crooked(self, env, rng, clock)


class _Crooked(ControlledEnv):
    def observations(self, seen, rows):
        seen[:] = 0.5
        return seen

    def rewards(self, rewards):
        rewards += 1.0
        return rewards

    def levels(self, state):
        return dataclasses.replace(state, visited=~state.visited)


def test_a_meter_is_not_fooled_by_a_control_that_writes_in_place():
    def measured(intensity):
        pair = [np.random.default_rng(0) for _ in range(2)]
        control_meter = ControlMeter(
            Crooked(intensity=intensity), coin(), rng=pair[0], duplicate=pair[1], span_steps=9
        )
        control_meter.env.reset(seed=1)
        for _ in range(120):
            control_meter.env.step(np.zeros(COPIES, np.int64))
        return control_meter.read().measured

    found = measured(1.0)
    assert found["observations_changed"] == found["rewards_changed"] == 1.0
    assert found["reward_change"] == pytest.approx(1.0)
    assert found["episodes_changed"] == 1.0
    assert not any(measured(0.0).values())


def test_a_meter_subtracts_small_whole_numbers_without_wrapping_around():
    one, other = np.array([[3, 200]], np.uint8), np.array([[5, 1]], np.uint8)
    assert _distance(one, other) == _distance(other, one) == 201


def test_noise_leaves_what_lies_beyond_its_bounds_no_further_out():
    """A third-party env may show more than its space allows; noise must not make a jump of it."""
    env = wrapped(ObservationNoise(intensity=0.5), coin())
    env.effective_intensity = 0.5
    beyond = np.full((COPIES, env.single_observation_space.shape[0]), 3.0, np.float32)
    shown = env.observations(beyond, np.arange(COPIES))
    assert (shown <= 3).all()
    assert (shown < 3).any()
    assert shown.min() > 0
