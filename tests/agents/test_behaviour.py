"""Behaviour measures against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agents.behaviour import behaviour_change, drawn, kl, log_softmax

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


@given(
    arrays(np.float32, (6, 4), elements=st.floats(-30, 30, width=32)),
    arrays(np.float64, (6, 1), elements=st.floats(0, 1, exclude_max=True)),
)
def test_an_action_is_drawn_where_the_running_sum_of_probabilities_passes_the_draw(logits, draws):
    actions, log_p = drawn(logits, draws)
    wanted = log_softmax(logits.astype(np.float64))
    ends = np.exp(wanted).cumsum(1)
    rows = np.arange(6)

    np.testing.assert_allclose(log_p, wanted[rows, actions], atol=1e-12)
    assert (draws[:, 0] <= ends[rows, actions] + 1e-12).all()
    assert (draws[:, 0] >= ends[rows, actions] - np.exp(log_p) - 1e-12).all()


@given(arrays(np.float32, (5, 3), elements=st.floats(-9, 9, width=32)))
def test_no_draw_takes_an_action_of_probability_0_that_comes_last(logits):
    closed = np.concatenate([logits, np.full((5, 2), -np.inf, np.float32)], axis=1)
    actions, log_p = drawn(closed, np.full((5, 1), np.nextafter(1.0, 0.0)))

    assert (actions < 3).all()
    assert np.isfinite(log_p).all()
