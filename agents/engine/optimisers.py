"""The optimisers' steps on flat vectors, with torch's formulas and constants.

Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019), RMSprop and SGD with momentum. A
parameter that an edit has made new was stepped less often than the others: its bias correction is
its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from agents.arrays import Array
from agents.engine.flat import FlatVectors

_BETA1, _BETA2, _ALPHA = 0.9, 0.999, 0.99


@dataclass(frozen=True)
class Rates:
    """The numbers of a live optimiser."""

    kind: str
    learning_rate: float
    weight_decay: float
    momentum: float
    epsilon: float


class FlatOptimiser:
    """Steps all weights at once. ``counts``: steps that each parameter has had, in flat order."""

    def __init__(self, vectors: FlatVectors) -> None:
        self._vectors = vectors
        self._spare = np.empty((2, vectors.size), np.float32)
        self.begin(np.zeros(len(vectors.names)))

    def begin(self, counts: Array) -> None:
        """Go on from these counts."""
        self.counts = counts.copy()
        self._alike = bool(counts.min() == counts.max())

    def step(self, rates: Rates) -> None:
        """Move the weights along the gradient, which may be overwritten; count the step."""
        self.counts += 1
        v = self._vectors
        if rates.weight_decay and rates.kind == "adamw":
            v.weights *= np.float32(1 - rates.learning_rate * rates.weight_decay)
        elif rates.weight_decay:
            v.gradient += np.float32(rates.weight_decay) * v.weights
        _STEPS[rates.kind](self, rates)

    def adam(self, rates: Rates) -> None:
        """``w -= lr m / c1 / (sqrt(v / c2) + eps)``, with bias corrections ``c1`` and ``c2``."""
        v, (a, b) = self._vectors, self._spare
        g, first, second = v.gradient, v.first, v.second
        np.subtract(g, first, out=a)
        np.multiply(a, np.float32(1 - _BETA1), out=a)
        np.add(first, a, out=first)
        np.multiply(second, np.float32(_BETA2), out=second)
        np.multiply(g, g, out=a)
        np.multiply(a, np.float32(1 - _BETA2), out=a)
        np.add(second, a, out=second)
        rate, epsilon = self._corrections(rates)
        np.sqrt(second, out=a)
        np.add(a, epsilon, out=a)
        np.divide(first, a, out=b)
        np.multiply(b, rate, out=b)
        np.subtract(v.weights, b, out=v.weights)

    def rmsprop(self, rates: Rates) -> None:
        """``w -= lr g / (sqrt(v) + eps)``, or along the momentum of these."""
        v, (a, b) = self._vectors, self._spare
        g = v.gradient
        np.multiply(v.second, np.float32(_ALPHA), out=v.second)
        np.multiply(g, g, out=a)
        np.multiply(a, np.float32(1 - _ALPHA), out=a)
        np.add(v.second, a, out=v.second)
        np.sqrt(v.second, out=a)
        np.add(a, np.float32(rates.epsilon), out=a)
        np.divide(g, a, out=b)
        self._along(b, rates)

    def sgd(self, rates: Rates) -> None:
        """``w -= lr g``, or along the momentum of these."""
        self._along(self._vectors.gradient, rates)

    def _along(self, direction: Array, rates: Rates) -> None:
        v, spare = self._vectors, self._spare[0]
        if rates.momentum:
            np.multiply(v.first, np.float32(rates.momentum), out=v.first)
            direction = np.add(v.first, direction, out=v.first)
        np.multiply(direction, np.float32(rates.learning_rate), out=spare)
        np.subtract(v.weights, spare, out=v.weights)

    def _corrections(self, rates: Rates) -> tuple[Array | np.float32, Array | np.float32]:
        """``lr sqrt(c2) / c1`` and ``sqrt(c2) eps``: numbers where all parameters are of one age.

        Both sides of the fraction in ``adam`` are multiplied by ``sqrt(c2)``: one pass less.
        """
        counts = self.counts
        if self._alike:
            t = float(counts[0])
            root = (1 - _BETA2**t) ** 0.5
            rate = rates.learning_rate * root / (1 - _BETA1**t)
            return np.float32(rate), np.float32(root * rates.epsilon)
        roots = np.sqrt(1 - _BETA2**counts)
        each = rates.learning_rate * roots / (1 - _BETA1**counts), roots * rates.epsilon
        one, two = (np.repeat(number.astype(np.float32), self._vectors.lengths) for number in each)
        return one, two


_STEPS: Mapping[str, Callable[[FlatOptimiser, Rates], None]] = {
    "adam": FlatOptimiser.adam,
    "adamw": FlatOptimiser.adam,
    "rmsprop": FlatOptimiser.rmsprop,
    "sgd": FlatOptimiser.sgd,
}
