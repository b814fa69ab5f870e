"""Capacities of channels with a closed form, and a plausible bug that must not agree with them."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from agents.drives.channel_capacity import capacity
from sandbox.selftest.check import KnownNumber, known

Array = npt.NDArray[np.float64]


def checks() -> Iterator[KnownNumber]:
    """Binary symmetric, Z, erasure, typewriter, and the negative control."""
    flips = (0.05, 0.1, 0.11, 0.25, 0.5)
    exact = (0.713603042884, 0.531004406411, 0.500084041835, 0.188721875541, 0.0)
    for flip, bits in zip(flips, exact, strict=True):
        yield known(
            "I1",
            f"binary symmetric channel, p={flip}, bits",
            bits,
            1e-9,
            lambda flip=flip: _bits(symmetric(flip)),  # type: ignore[misc]
            "1 - H(p)",
        )
    for slip, bits in ((0.1, 0.762848252011), (0.25, 0.558238626737), (0.5, 0.321928094887)):
        yield known(
            "I2",
            f"Z channel, p={slip}, bits",
            bits,
            1e-9,
            lambda slip=slip: _bits(np.array([[1, 0], [slip, 1 - slip]])),  # type: ignore[misc]
            "log2(1 + (1-p) p^(p/(1-p)))",
        )
    for lost in (0.1, 0.3, 0.5):
        yield known(
            "I3",
            f"erasure channel, e={lost}, bits",
            1 - lost,
            1e-9,
            lambda lost=lost: _bits(_erasure(lost)),  # type: ignore[misc]
            "1 - e",
        )
    yield known(
        "I3",
        "noisy typewriter, 26 letters, bits",
        np.log2(13),
        1e-9,
        lambda: _bits((np.eye(26) + np.roll(np.eye(26), 1, axis=1)) / 2),
        "log2 13",
    )
    yield known(
        "I4",
        "negative control, p=.1 and .25: a bug's bits, which are not I1's",
        (0.32338, 0.0),
        5e-6,
        lambda: [mixed_logarithms(symmetric(flip)) for flip in (0.1, 0.25)],
        "a published program that mixes exp with log2",
    )


def symmetric(flip: float) -> Array:
    """Two inputs, two outputs, flipped with this probability."""
    return np.array([[1 - flip, flip], [flip, 1 - flip]])


def mixed_logarithms(channel: Array) -> float:
    """Arimoto's iteration with one slip: logarithms to base 2 undone by the natural exponential.

    For the negative control alone.
    """
    weights = np.full(len(channel), 1 / len(channel))
    total = 1.0
    for _ in range(100):
        back = channel * weights[:, None] / (weights @ channel)
        grown = np.exp((channel * np.log2(back)).sum(1))
        total = grown.sum()
        weights = grown / total
    return max(float(np.log2(total)), 0.0)


def _bits(channel: Array) -> float:
    return float(capacity(channel, 1e-11).lower)


def _erasure(lost: float) -> Array:
    return np.array([[1 - lost, lost, 0.0], [0.0, lost, 1 - lost]])
