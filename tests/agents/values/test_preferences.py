"""Preferences follow Bradley and Terry, and answers alone suffice to learn what is worth more."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.contract import Batch
from agents.value_learning.bradley_terry import cross_entropy, preference
from agents.values.preferences import Preferences
from sandbox.measuring.reward_distances import epic
from tests.agents.demonstrators import a_random_world, compared, watched

GAPS = st.floats(-40, 40)
NOISE = st.floats(0, 0.9)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("gap", "noise", "chance"),
    [(0.0, 0.0, 0.5), (0.0, 0.4, 0.5), (1.0, 0.0, 0.731058579), (1.0, 0.1, 0.707952721)],
)
def test_how_likely_the_better_one_is_preferred(gap, noise, chance):
    assert preference(np.array(gap), noise) == pytest.approx(chance, abs=5e-10)


@given(GAPS, NOISE)
def test_one_of_the_two_is_preferred(gap, noise):
    assert preference(gap, noise) + preference(-gap, noise) == pytest.approx(1, abs=1e-12)
    assert noise / 2 <= preference(gap, noise) <= 1 - noise / 2


def test_a_return_out_of_all_proportion_is_clipped():
    """Else the logarithm of an answer that cannot be is infinite."""
    loss, slope = cross_entropy(np.array([1e9, -1e9]), np.array([0.0, 1.0]))

    np.testing.assert_allclose(loss, 50, rtol=1e-12)
    np.testing.assert_array_equal(slope, 0)


@given(GAPS, NOISE, st.floats(0, 1))
def test_the_slope_is_that_of_finite_differences(gap, noise, preferred):
    sides = [cross_entropy(np.array(gap + h), preferred, noise)[0] for h in (1e-6, -1e-6)]

    slope = cross_entropy(np.array(gap), preferred, noise)[1]
    assert slope == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-6)


@given(GAPS, NOISE)
def test_at_the_truth_the_loss_is_the_entropy_of_the_answers(gap, noise):
    p = float(preference(gap, noise))
    loss, slope = cross_entropy(np.array(gap), p, noise)
    entropy = -sum(x * math.log(x) for x in (p, float(preference(-gap, noise))))

    assert loss == pytest.approx(entropy, rel=1e-6, abs=1e-12)
    assert slope == pytest.approx(0, abs=1e-9)


def test_gradients_of_the_network_are_those_of_the_whole_loss():
    """Through returns of fragments of all lengths, discounted, noisy; by finite differences."""
    world = a_random_world()
    policy = np.full((6, 4), 0.25)
    evidence = compared(watched(world, policy, 5, rng(1), ends=5), rng(2).random((6, 6)), 7, rng(3))
    settings = Preferences(hidden=3, epochs=1, minibatch=99, noise=0.2, discount=0.8)
    valuer = settings.start(6, 4, rng(4))
    student, gradients = valuer._student, []
    student.net.weights = [
        (w.astype(float), b.astype(float) + 0.05) for w, b in student.net.weights
    ]
    student._adam.step = lambda _, found: gradients.extend(found)
    valuer.learn(evidence)

    def lost():
        returns = np.zeros(5)
        for t, there in enumerate(evidence.present):
            step = {k: v[t] for k, v in vars(evidence.steps).items() if v is not None}
            returns += 0.8**t * valuer.reward(Batch(**{**step, "present": there}))
        gap = returns[evidence.pairs[:, 0]] - returns[evidence.pairs[:, 1]]
        return cross_entropy(gap, evidence.preferred, 0.2)[0].mean()

    assert not evidence.present.all()
    for layer, gradient in zip(student.net.weights, gradients, strict=True):
        for value, slope in zip(layer, gradient, strict=True):
            for place in np.ndindex(value.shape):
                kept, sides = value[place], []
                for moved in (kept + 1e-5, kept - 1e-5):
                    value[place] = moved
                    sides.append(lost())
                value[place] = kept
                assert slope[place] == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=2e-6)


def learned(noise, believed, seed=0):
    """EPIC distance of what was learned from answers to what they were given by."""
    world = a_random_world(seed=3)
    world = replace(world, transition=np.full((6, 4, 6), 1 / 6), start=np.full(6, 1 / 6))
    worth = rng(7).standard_normal((6, 6))
    rollout = watched(world, np.full((6, 4), 0.25), 400, rng(seed))
    valuer = Preferences(noise=believed, epochs=20, learning_rate=3e-3).start(6, 4, rng(seed))
    valuer.learn(compared(rollout, worth, 1500, rng(seed + 1), noise))
    seen, none = world.observation, np.zeros(144, bool)
    before, action, after = (each.ravel() for each in np.indices((6, 4, 6)))
    rewards = valuer.reward(Batch(seen[before], action, seen[after], np.zeros(144), none, none))
    true = np.broadcast_to(worth[:, None, :], (6, 4, 6))
    return epic(rewards.reshape(6, 4, 6), true, 0.9).value


def test_answers_alone_suffice_to_learn_what_is_worth_more():
    assert learned(0.0, 0.0) < 0.2
    assert learned(0.2, 0.2) < 0.3


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"minibatch": 0}, "minibatch is at least 1"),
        ({"clip": 0.0}, "clip is a finite number above 0"),
        ({"noise": 1.0}, "noise is at least 0 and below 1"),
        ({"discount": -0.1}, "discount is between 0 and 1"),
    ],
)
def test_settings_of_preferences_out_of_range_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        Preferences(**settings)
