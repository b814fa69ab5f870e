"""Where a network would gain by growing: the natural expansion score of features it lacks.

Mitchell et al. 2023, "Self-Expanding Neural Networks": a place is worth ``eta = g' F^-1 g``, the
squared length of the gradient in the Fisher metric. With the Fisher matrix of a linear map as the
product of two covariances (Martens & Grosse 2015), ``G`` [n, d] the gradients by its outputs and
``H`` [n, p] what it reads, a row a sample,

    eta(G, H) = tr(S^+ M A^+ M'),  S = G'G / n,  M = G'H / n,  A = H'H / n,

the sum of the squared canonical correlations of ``G`` and ``H``, not centred: from 0 to the smaller
of the ranks, the same for every invertible linear change of either. New features add what the
gradient shares with the part of them that the known ones cannot express, their *gain*. Of ``n``
samples some gain is due to chance, so a *growth score* is the gain over that of features drawn at
random: 1 means that there is nothing to be had.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from agents.arrays import Array
from agents.contract import Look
from agents.genome import Architecture, Genome

PROBES = 16
"""Random new units that stand for all that could be added at a place."""
_FLAT = 1e-5
"""Directions shorter than this, of columns of length 1, are rounding."""


def growth_score(gradients: Array, known: Array, added: Array) -> float:
    """Gain, divided by what ``q`` normal random features would gain on average; 0 where none can.

    Those span a uniformly random subspace of the ``n - r`` dimensions that ``known``, of rank
    ``r``, leaves; in it ``G`` has what of its rank is not shared with ``known``.
    """
    slopes, old = _basis(gradients), _basis(known)
    new = _beyond(old, added)
    left, free = slopes.shape[1] - _shared(slopes, old), len(gradients) - old.shape[1]
    if not new.shape[1] or left < _FLAT or free <= new.shape[1]:
        return 0.0
    return float(_shared(slopes, new) * free / (new.shape[1] * left))


def growth_flops(n: int, gradients: int, known: int, added: int) -> float:
    """FLOPs of ``growth_score``; orthogonalising ``[n, k]`` counts ``6 n k^2 + 20 k^3``."""
    bases = sum((6.0 * n + 20.0 * k) * k * k for k in (gradients, known, added))
    return bases + 2.0 * n * (2 * known * added + gradients * (known + added))


@dataclass(frozen=True, order=True)
class Place:
    """Where to grow."""

    how: str  # "widen" this layer, or "deepen" behind it
    layer: int


def growth_scores(
    look: Look, genome: Genome, rng: np.random.Generator
) -> tuple[Mapping[Place, float], float]:
    """Growth score of every place that can be looked into, mean over towers, and FLOPs spent.

    New units of a layer read what it reads; those of a layer behind it read what it puts out. Both
    are known by the gradient of whatever reads the layer, the head included. They are probed with
    normal random weights of variance ``1 / inputs``. Only dense layers are looked into, and only
    where the look knows that gradient.
    """
    found: dict[Place, list[float]] = {}
    spent = 0.0
    for tower in genome.towers():
        for i, layer in enumerate(genome.architecture.layers):
            try:
                slopes, reads = look.backward(tower, i + 1), look.inputs(tower, i)
                puts = look.activations(tower, i)
            except LookupError:
                continue
            if layer.kind != "dense" or not len(slopes):
                continue
            known = np.hstack([puts, np.ones((len(puts), 1))])
            for how, source in (("widen", reads), ("deepen", puts)):
                added = _probed(source, genome.architecture, rng)
                score = growth_score(slopes, known, added)
                found.setdefault(Place(how, i), []).append(score)
                spent += growth_flops(len(slopes), slopes.shape[1], known.shape[1], PROBES)
                spent += 2.0 * added.size * source.shape[1] + 2.0 * added.size
    return {place: float(np.mean(each)) for place, each in found.items()}, spent


def _probed(source: Array, architecture: Architecture, rng: np.random.Generator) -> Array:
    """What random new units would put out, ``[n, PROBES]``."""
    width = source.shape[1]
    weights = rng.standard_normal((width, PROBES)) / np.sqrt(max(width, 1))
    bias = rng.standard_normal(PROBES)
    before: Array = source @ weights + bias
    return np.tanh(before) if architecture.activation == "tanh" else np.maximum(before, 0.0)


def _basis(columns: Array) -> Array:
    """Orthonormal basis of the span of the columns, each of them first made 1 long."""
    return _orthonormal(_scaled(columns))


def _beyond(known: Array, added: Array) -> Array:
    """Orthonormal basis of what of ``added`` is at right angles to the basis ``known``."""
    columns = _scaled(added)
    return _orthonormal(columns - known @ (known.T @ columns))


def _scaled(columns: Array) -> Array:
    exact = np.nan_to_num(np.asarray(columns, np.float64))
    largest = np.abs(exact).max(axis=0, initial=0.0)
    kept = exact[:, largest > 0] / largest[largest > 0]
    scaled: Array = kept / np.linalg.norm(kept, axis=0)
    return scaled


def _orthonormal(columns: Array) -> Array:
    if not columns.size:
        return np.zeros((len(columns), 0))
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    found: Array = left[:, sizes > _FLAT]
    return found


def _shared(one: Array, other: Array) -> float:
    return float(((one.T @ other) ** 2).sum())
