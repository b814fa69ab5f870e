"""Behaviour measures against closed forms."""

import numpy as np
import pytest

from agents.behaviour import behaviour_change, kl, log_softmax

NOTHING = np.zeros(1)


def test_kl_of_two_coins():
    p, q = 0.2, 0.7
    before, after = np.log([[1 - p, p]]), np.log([[1 - q, q]])
    wanted = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    assert kl(before, after) == pytest.approx(wanted)
    assert kl(before + 5, after - 300) == pytest.approx(wanted)  # logits have no zero


def test_kl_is_mean_over_observations_and_never_negative():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(100, 4))
    noise = before + 1e-9 * rng.normal(size=before.shape)
    assert (kl(before, noise) >= 0).all()
    change = behaviour_change(before, before[::-1], NOTHING, NOTHING)
    assert change.mean_kl == pytest.approx(kl(before, before[::-1]).mean())


def test_changes_of_logits_and_values():
    change = behaviour_change(
        np.zeros((2, 2)), np.array([[1.0, 1.0], [-3.0, -3.0]]), np.zeros(2), np.array([1.0, -2.0])
    )
    assert change.mean_kl == 0
    assert change.max_logit_change == 3
    assert change.mean_value_change == 1.5


def test_huge_logits_do_not_overflow():
    assert log_softmax(np.array([[1e4, 0.0]])).tolist() == [[0.0, -1e4]]


def test_incomparable_or_no_observations_are_refused():
    with pytest.raises(ValueError, match=r"cannot compare logits \(1, 2\) with \(1, 3\)"):
        behaviour_change(np.zeros((1, 2)), np.zeros((1, 3)), NOTHING, NOTHING)
    with pytest.raises(ValueError, match="at least one"):
        behaviour_change(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros(0))
