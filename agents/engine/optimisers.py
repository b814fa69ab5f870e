"""The optimisers' steps on flat vectors.

Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019) are torch's own fused kernels, a third
of the time of NumPy's passes over the vectors; RMSprop and SGD with momentum are torch's formulas
and constants. A parameter that an edit has made new was stepped less often than the others: its
bias correction is its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from agents.arrays import Array
from agents.engine.flat import FlatVectors

_BETA1, _BETA2, _ALPHA = 0.9, 0.999, 0.99
_FUSED: Mapping[str, Callable[..., None]] = {
    "adam": torch._fused_adam_,
    "adamw": torch._fused_adamw_,
}


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
        first = np.flatnonzero(np.diff(counts, prepend=-1.0))  # of each run of equal counts
        self._run_counts = counts[first].astype(np.float32)
        starts = (np.cumsum(self._vectors.lengths) - self._vectors.lengths)[first]
        ends = [*starts[1:].tolist(), self._vectors.size]
        self._runs = [
            [torch.from_numpy(each[a:b]) for a, b in zip(starts.tolist(), ends, strict=True)]
            for each in self._vectors.all()
        ]
        self._steps = [torch.from_numpy(self._run_counts[k : k + 1]) for k in range(len(first))]

    def step(self, rates: Rates) -> None:
        """Move the weights along the gradient, which may be overwritten; count the step."""
        self.counts += 1
        if rates.kind in _FUSED:
            self._adam(rates)
            return
        if rates.weight_decay:
            v = self._vectors
            v.gradient += np.float32(rates.weight_decay) * v.weights
        _STEPS[rates.kind](self, rates)

    def _adam(self, rates: Rates) -> None:
        """``w -= lr m / c1 / (sqrt(v / c2) + eps)``, with bias corrections ``c1`` and ``c2``."""
        self._run_counts += 1
        _FUSED[rates.kind](
            *self._runs,
            [],
            self._steps,
            amsgrad=False,
            lr=rates.learning_rate,
            beta1=_BETA1,
            beta2=_BETA2,
            weight_decay=rates.weight_decay,
            eps=rates.epsilon,
            maximize=False,
        )

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


_STEPS: Mapping[str, Callable[[FlatOptimiser, Rates], None]] = {
    "rmsprop": FlatOptimiser.rmsprop,
    "sgd": FlatOptimiser.sgd,
}
