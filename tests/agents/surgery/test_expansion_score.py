"""The natural expansion score: what it is by definition, where it is 0, and what it ignores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.contract import Look
from agents.genome import Architecture, Genome, Layer
from agents.surgery.expansion_score import (
    PROBES,
    Place,
    growth_flops,
    growth_score,
    growth_scores,
)

seeds = st.integers(0, 10_000)
N, D, P, Q = 60, 3, 4, 2


def drawn(seed):
    rng = np.random.default_rng(seed)
    known = rng.standard_normal((N, P))
    added = rng.standard_normal((N, Q)) + known[:, :Q]
    gradients = rng.standard_normal((N, D)) + 0.3 * known[:, :D] + 0.3 * added[:, :1]
    return gradients, known, added


def expansion_score(gradients, features):
    """By the book: vec(M)' (A kron S)^-1 vec(M)."""
    covariance = np.kron(features.T @ features / N, gradients.T @ gradients / N)
    slope = (gradients.T @ features / N).T.reshape(-1)
    return slope @ np.linalg.solve(covariance, slope)


@given(seeds)
def test_growth_is_what_the_expansion_score_rises_by_over_what_chance_gives(seed):
    gradients, known, added = drawn(seed)
    had = expansion_score(gradients, known)
    rise = expansion_score(gradients, np.hstack([known, added])) - had

    assert growth_score(gradients, known, added) == pytest.approx(rise * (N - P) / (Q * (D - had)))


@given(seeds)
def test_it_is_0_where_the_residual_gradient_is_orthogonal_to_the_features(seed):
    gradients, known, added = drawn(seed)
    span = np.hstack([known, added])
    outside = gradients - span @ np.linalg.lstsq(span, gradients, rcond=None)[0]

    assert growth_score(gradients, span, added @ np.ones((Q, 1))) == pytest.approx(0, abs=1e-6)
    assert growth_score(outside + known[:, :D], known, added) == pytest.approx(0, abs=1e-6)


@given(seeds, st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_units_of_measurement_do_not_matter(seed, one, other):
    """Not of the loss, not of a feature, nor any invertible mixing."""
    gradients, known, added = drawn(seed)
    rng = np.random.default_rng(seed + 1)
    mixing = np.eye(Q) + 0.3 * rng.standard_normal((Q, Q))
    turned = np.eye(D) + 0.2 * rng.standard_normal((D, D))
    scales = np.array([one, *[1.0] * (Q - 1)])
    found = growth_score(one * gradients @ turned, other * known, added @ mixing * scales)

    assert found == pytest.approx(growth_score(gradients, known, added), rel=1e-6)


def test_nothing_is_left_to_gain_where_the_known_features_say_it_all():
    gradients, known, added = drawn(0)
    assert growth_score(gradients, np.hstack([known, gradients]), added) == 0


def test_features_of_chance_score_1():
    """The mean of 400 draws; their spread is measured, and 4.5 standard errors are allowed."""
    gradients, known, _ = drawn(3)
    rng = np.random.default_rng(0)
    found = [growth_score(gradients, known, rng.standard_normal((N, Q))) for _ in range(400)]

    assert abs(np.mean(found) - 1) < 4.5 * np.std(found) / 20
    assert np.std(found) < 1


@pytest.mark.parametrize("nothing", [np.zeros((N, D)), np.zeros((N, 0))])
def test_nothing_is_to_be_had_without_gradients_or_features(nothing):
    gradients, known, added = drawn(1)
    assert growth_score(nothing, known, added) == 0
    assert growth_score(gradients, known, nothing) == 0
    assert growth_score(gradients[:2], known[:2], added[:2]) == 0  # fewer samples than features


def test_its_price_by_hand():
    assert growth_flops(10, 1, 2, 1) == (
        2 * (60 + 20) + (240 + 160) + 20 * (2 * 2 * 1 + 1 * (2 + 1))
    )


class Planted(Look):
    """A network of two layers; whatever reads layer ``at`` wants a bent feature it lacks."""

    def __init__(self, at, n=800):
        rng = np.random.default_rng(5)
        self.observations = rng.standard_normal((n, 3)).astype(np.float32)
        self._hidden = [np.tanh(self.observations @ rng.standard_normal((3, 4)))]
        self._hidden.append(np.tanh(self._hidden[0] @ rng.standard_normal((4, 4))))
        wanted = np.tanh(self.inputs("policy", at) @ rng.standard_normal(self.width(at)) + 0.5)
        self._slopes = [rng.standard_normal((n, 2)) for _ in range(2)]
        self._slopes[at][:, 0] += 3 * (wanted - wanted.mean())

    def width(self, layer):
        return self.inputs("policy", layer).shape[1]

    def step_length(self, optimiser):
        raise NotImplementedError  # not called here

    def gradients(self):
        return {}

    def inputs(self, tower, layer):
        return [self.observations, *self._hidden][layer]

    def activations(self, tower, layer):
        return self._hidden[layer]

    def backward(self, tower, layer):
        return [None, *self._slopes][layer]


GENOME = Genome(Architecture((Layer("dense", 4), Layer("dense", 4))))


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from([0, 1]))
def test_the_planted_lack_is_found(seed, at):
    scores, flops = growth_scores(Planted(at), GENOME, np.random.default_rng(seed))

    assert max(scores, key=scores.__getitem__).layer == at
    assert scores[Place("widen", at)] > 2
    assert scores[Place("widen", 1 - at)] < 2
    probing = [800 * PROBES * 2 * (width + 1) for width in (3, 4, 4, 4)]
    assert flops == 2 * (4 * growth_flops(800, 2, 5, PROBES) + sum(probing))


def test_where_nothing_can_be_seen_nothing_is_scored():
    class Blind(Planted):
        def backward(self, tower, layer):
            raise LookupError

    assert growth_scores(Blind(0), GENOME, np.random.default_rng(0)) == ({}, 0.0)
    normed = Genome(Architecture((Layer("norm", 3), Layer("dense", 4))))
    assert {p.layer for p in growth_scores(Planted(0), normed, np.random.default_rng(0))[0]} == {1}
