"""A small network trained batch by batch, with its optimiser and its own random stream."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from agents.arrays import Array
from agents.models.perceptron import Adam, Perceptron, Weights


class Student:
    """Float32. Every fit has its own, resumable random stream."""

    def __init__(
        self, sizes: Sequence[int], learning_rate: float, rng: np.random.Generator
    ) -> None:
        self.net = Perceptron(sizes, rng)
        self._adam = Adam(self.net.weights, learning_rate)
        self._seed = int(rng.integers(2**62))
        self._fits = 0

    def __call__(self, inputs: Array) -> Array:
        """Map ``[n, in]`` to ``[n, out]``."""
        return self.net(np.asarray(inputs, np.float32))

    def minibatches(self, rows: int, epochs: int, size: int) -> Iterator[Array]:
        """Begin a fit: indices of ``rows``, shuffled each epoch, at most ``size`` a time."""
        rng = self.next_rng()
        for _ in range(epochs if rows else 0):
            order = rng.permutation(rows)
            for start in range(0, rows, size):
                yield order[start : start + size]

    def next_rng(self) -> np.random.Generator:
        """Begin a fit, and return its random generator."""
        rng = np.random.Generator(np.random.PCG64([self._seed, self._fits]))
        self._fits += 1
        return rng

    def step(self, activations: list[Array], delta: Array, decay: float = 0.0) -> None:
        """One step of Adam down ``delta``, the loss's gradient by the outputs, ``[n, out]``.

        ``decay`` adds ``decay * weights`` to the gradient, biases included.
        """
        found, _ = self.net.backward(activations, delta.astype(np.float32))
        if decay:
            found = _decayed(found, self.net.weights, np.float32(decay))
        self._adam.step(self.net.weights, found)

    def flops(self) -> float:
        """FLOPs of one forward pass of one row."""
        return self.net.flops()

    def state(self) -> dict[str, Array]:
        """Copies of everything, by name."""
        return {
            **self.net.state("net"),
            **self._adam.state("adam"),
            "seed": np.array(self._seed, np.int64),
            "lessons": np.array(self._fits, np.int64),
        }

    def load(self, state: Mapping[str, Array]) -> None:
        """Take over what ``state`` gave."""
        self.net.load(state, "net")
        self._adam.load(state, "adam")
        self._seed, self._fits = int(state["seed"]), int(state["lessons"])


def _decayed(gradients: Weights, weights: Weights, decay: np.float32) -> Weights:
    pairs = zip(gradients, weights, strict=True)
    return [(g + decay * w, gb + decay * b) for (g, gb), (w, b) in pairs]
