"""Probability that the better of two is preferred (Bradley & Terry 1952), with noise and a clip.

``P(1 > 2) = e/2 + (1 - e) / (1 + exp(clip(R2 - R1, +-c)))`` for returns ``R1``, ``R2``: a share
``e`` of answers is random. Float64; ``gap`` is ``R1 - R2``.
"""

import numpy as np

from agents.arrays import Array


def preference(gap: Array, noise: float = 0.0, clip: float = 50.0) -> Array:
    """Probability that the first is preferred."""
    found: Array = noise / 2 + (1 - noise) / (1 + np.exp(-np.clip(gap, -clip, clip)))
    return found


def cross_entropy(
    gap: Array, preferred: Array, noise: float = 0.0, clip: float = 50.0
) -> tuple[Array, Array]:
    """Loss in nats of each answer, ``preferred`` in [0, 1], and its slope in ``gap``.

    Beyond the clip the loss is constant and its slope 0.
    """
    first, second = preference(gap, noise, clip), preference(-gap, noise, clip)
    loss: Array = -preferred * np.log(first) - (1 - preferred) * np.log(second)
    bend = preference(gap, 0.0, clip) * preference(-gap, 0.0, clip) * (1 - noise)
    slope: Array = np.where(
        np.abs(gap) < clip, bend * ((1 - preferred) / second - preferred / first), 0.0
    )
    return loss, slope
