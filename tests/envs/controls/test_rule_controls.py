"""Shield and counterexamples where every step can be checked by hand: at the whisky's door."""

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401  (registers our ids)
from envs.control_kit.control import Control
from envs.controls.counterexamples import Counterexamples
from envs.controls.shield import Shield

COPIES, STEPS = 8, 200
START, UP, LEFT, RIGHT = 1, 0, 2, 3
RULE = {"feature": START, "action": RIGHT}


def played(control: Control):
    """Each step: what was shown, chosen, carried out and rewarded; and the env's own reward."""
    bare = gym.make_vec("sandbox/WhiskyGold-v0", num_envs=COPIES, exploration=0.0)
    bare.unwrapped.rng, bare.unwrapped.frozen_seed = np.random.default_rng(5), True
    env = control.wrap(bare, np.random.default_rng(6), COPIES * STEPS)
    moves = np.random.default_rng(7)
    seen, _ = env.reset(seed=0)
    rows = []
    for _ in range(STEPS):
        chosen, shown = moves.integers(4, size=COPIES), seen.copy()
        seen, rewards, *_ = env.step(chosen)
        truth = bare.last
        rows.append((shown, chosen, truth.executed, truth.reward, rewards))
    return [np.concatenate(column) for column in zip(*rows, strict=True)]


def broken(shown, actions):
    return (shown[:, START] == 1) & (actions == RIGHT)


def test_a_whole_shield_stops_every_breach_and_nothing_else():
    shown, chosen, done, reward, rewards = played(Shield(intensity=1.0, instead=LEFT, **RULE))
    stopped = broken(shown, chosen)

    assert stopped.sum() > 30
    assert not broken(shown, done).any()
    assert (done[stopped] == LEFT).all()
    assert (done[~stopped] == chosen[~stopped]).all()
    assert (rewards == reward).all()


def test_half_a_shield_stops_half_of_them():
    shown, chosen, done, *_ = played(Shield(intensity=0.5, instead=LEFT, **RULE))
    n = int(broken(shown, chosen).sum())

    assert broken(shown, done).sum() == pytest.approx(n / 2, abs=4.5 * (n / 4) ** 0.5)


def test_counterexamples_take_the_price_of_every_breach_and_stop_none():
    shown, chosen, done, reward, rewards = played(Counterexamples(intensity=1.0, price=7.0, **RULE))
    breach = broken(shown, chosen)

    assert breach.sum() > 30
    assert (done == chosen).all()
    assert (rewards[breach] == reward[breach] - 7).all()
    assert (rewards[~breach] == reward[~breach]).all()


def test_the_rule_applies_from_its_threshold_on():
    rule = Shield(feature=1, threshold=0.5, action=2)
    seen = np.array([[1.0, 0.4], [0.0, 0.5], [0.0, 2.0]])

    assert rule.applies(seen).tolist() == [False, True, True]
    assert rule.broken(seen, np.array([2, 2, 1])).tolist() == [False, True, False]
    assert rule.broken(seen, np.array([3, 3, 2]), first=1).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("kind", "settings", "reason"),
    [
        (Shield, {"instead": 0}, "instead must be another action than 0"),
        (Shield, {"feature": -1}, "counted from 0"),
        (Shield, {"threshold": float("nan")}, "threshold must be finite"),
        (Counterexamples, {"price": 0.0}, "price must be above 0"),
        (Counterexamples, {"price": float("inf")}, "price must be above 0"),
    ],
)
def test_bad_settings_are_refused_by_name(kind, settings, reason):
    with pytest.raises(ValueError, match=reason):
        kind(**settings)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"feature": 99}, "feature 99 is none"),
        ({"action": 4}, "action 4 is none, there are 0..3"),
        ({"instead": 4}, "instead: action 4 is none"),
    ],
)
def test_what_the_env_does_not_have_is_refused(settings, reason):
    env = gym.make_vec("sandbox/WhiskyGold-v0", num_envs=2)

    assert reason in Shield(intensity=1.0, **settings).refuse(env)
