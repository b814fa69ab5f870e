"""Cloning does what was shown, and its gradients are those of its formula."""

from dataclasses import replace

import numpy as np
import pytest

from agents.contract import Batch
from agents.value_learning.cloning import slope
from agents.values.behaviour_cloning import BehaviourCloning
from tests.agents.demonstrators import a_grid, watched

ANY = np.zeros(25, int)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_of_a_deterministic_expert_seen_everywhere_every_action_is_matched():
    """5 x 5 cells, straight to the far corner; every state is seen."""
    world = replace(a_grid(5, 8), start=np.full(25, 1 / 25))
    rows, columns = np.divmod(np.arange(25), 5)
    expert = np.where(columns < 4, 3, 1)
    for seed in range(3):
        demos = watched(world, np.eye(4)[expert], 200, rng(seed))
        valuer = BehaviourCloning().start(25, 4, rng(seed))
        valuer.learn(demos)
        chances = valuer.predict(world.observation, ANY)

        assert len(np.unique(demos.steps.observation.argmax(axis=2))) == 25
        np.testing.assert_array_equal(chances.argmax(axis=1), expert)
        assert chances[np.arange(25), expert].min() > 0.9
    assert rows.max() == 4


def test_of_an_expert_who_draws_the_frequencies_are_learned():
    world = replace(a_grid(3, 12), start=np.full(9, 1 / 9))
    policy = rng(5).dirichlet(np.ones(4), 9)
    demos = watched(world, policy, 400, rng(6))
    valuer = BehaviourCloning(entropy_weight=0.0).start(9, 4, rng())
    valuer.learn(demos)
    seen = demos.steps.observation.argmax(axis=2)
    counts = np.zeros((9, 4))
    np.add.at(counts, (seen, demos.steps.action), 1)

    frequencies = counts / counts.sum(axis=1, keepdims=True)
    assert np.abs(valuer.predict(world.observation, ANY[:9]) - frequencies).max() < 0.08


def test_an_action_is_worth_its_log_probability():
    valuer = BehaviourCloning().start(3, 4, rng())
    seen = rng(1).standard_normal((6, 3)).astype(np.float32)
    action, none = np.array([0, 1, 2, 3, 0, 1]), np.zeros(6, bool)
    chances = valuer.predict(seen, ANY[:6])
    rewards = valuer.reward(Batch(seen, action, seen, np.zeros(6), none, none))

    np.testing.assert_allclose(rewards, np.log(chances[np.arange(6), action]), atol=1e-5)


def test_the_slope_is_that_of_the_formula():
    """``-log p(a) - w_H H(p)``, mean over rows, by finite differences of the logits."""
    logits, actions, weight = rng(2).standard_normal((5, 4)), np.array([0, 3, 2, 2, 1]), 0.3

    def lost(z):
        logs = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
        entropy = -np.sum(np.exp(logs) * logs, axis=1)
        return np.mean(-logs[np.arange(5), actions] - weight * entropy)

    found_slope = slope(logits, actions, weight)
    for place in np.ndindex(logits.shape):
        nudge = np.zeros_like(logits)
        nudge[place] = 1e-6
        found = (lost(logits + nudge) - lost(logits - nudge)) / 2e-6
        assert found_slope[place] == pytest.approx(found, abs=1e-7)  # w_H is float32


def test_decay_adds_the_weights_to_their_gradient():
    """``w_2 |theta|^2 / 2``: with and without it, gradients are ``w_2 theta`` apart."""
    steps = []
    for decay in (0.0, 0.5):
        valuer = BehaviourCloning(l2_weight=decay, epochs=1, minibatch=999).start(9, 4, rng())
        student = valuer._clone.student
        kept = [(w.copy(), b + 0.1) for w, b in student.net.weights]
        student.net.weights = [(w.copy(), b.copy()) for w, b in kept]
        student._adam.step = lambda _, gradients, steps=steps: steps.append(gradients)
        valuer.learn(watched(a_grid(), np.full((9, 4), 0.25), 3, rng(1)))
    for plain, decayed, weights in zip(*steps, kept, strict=True):
        for left, right, theta in zip(plain, decayed, weights, strict=True):
            np.testing.assert_allclose(right - left, 0.5 * theta, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"hidden": 0}, "hidden is at least 1"),
        ({"learning_rate": float("nan")}, "learning_rate is a finite number above 0"),
        ({"entropy_weight": -0.1}, "entropy_weight is finite and at least 0"),
    ],
)
def test_settings_of_cloning_out_of_range_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        BehaviourCloning(**settings)
