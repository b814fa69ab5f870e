"""One clock for a control and its meter: it counts every step once and can be advanced."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import envs
from envs.control_kit.clock import Clock, ClockedEnv
from envs.control_kit.control import Control, ControlledEnv
from envs.control_kit.meter import ControlMeter
from envs.controls.reward_noise import RewardNoise
from envs.faces.gymnasium import BatchFace

COPIES, SPAN = 4, 400


def coin():
    return BatchFace(envs.make_world("coin_grid"), COPIES, rng=np.random.default_rng(1))


def gauged(control):
    rng, second = (np.random.default_rng(2) for _ in range(2))
    control_meter = ControlMeter(control, coin(), rng=rng, duplicate=second, span_steps=SPAN)
    control_meter.env.reset()
    return control_meter


@dataclass(frozen=True)
class Twice(Control):
    """Two wrappers of one control."""

    unit: ClassVar[str] = "reward added, twice"

    def around(self, env, rng, clock):
        return _Added(self, _Added(self, env, rng, clock), rng, clock)


class _Added(ControlledEnv):
    def rewards(self, rewards):
        return rewards + self.effective_intensity


def test_a_clock_goes_from_0_to_1_and_never_back():
    clock = Clock(10)
    assert clock.progress == 0
    clock.advance(4)
    assert clock.progress == 0.4
    clock.advance_to(0.3)
    assert clock.taken == 4
    clock.advance_to(0.75)
    assert clock.taken == 7
    clock.advance(100)
    assert clock.progress == 1


def test_it_counts_the_steps_of_all_copies_after_each_step_and_no_reset():
    clock = Clock(SPAN)
    env = ClockedEnv(coin(), clock)
    env.reset()
    assert clock.taken == 0
    for k in range(1, 4):
        env.step(np.zeros(COPIES, int))
        assert clock.taken == k * COPIES


def test_two_wrappers_of_one_control_share_a_clock_that_counts_a_step_once():
    control_meter = gauged(Twice(intensity=1.0, start=0.5))
    plain, change = coin(), []
    plain.reset()
    for _ in range(SPAN // COPIES):
        actions = np.zeros(COPIES, int)
        change.append((control_meter.env.step(actions)[1] - plain.step(actions)[1]).max())
    half = SPAN // COPIES // 2
    assert change == pytest.approx([0.0] * half + [2.0] * half)
    assert control_meter.clock.taken == SPAN


def test_an_advanced_clock_moves_the_control_and_what_its_meter_expects():
    control_meter = gauged(RewardNoise(intensity=0.5, start=0.5))
    control_meter.env.step(np.zeros(COPIES, int))
    assert control_meter.read().effective_intensity == 0
    control_meter.clock.advance_to(0.6)
    control_meter.env.step(np.zeros(COPIES, int))
    found = control_meter.read()
    assert found.effective_intensity == 0.5
    assert found.measured["rewards_changed"] == 1.0
