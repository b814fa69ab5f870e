"""A small ReLU network in numpy: forward, hand-derived gradients, Adam. Float32."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from agents.arrays import Array
from agents.models.orthogonal import RELU_GAIN, orthogonal

Weights = list[tuple[Array, Array]]
"""Per layer: weight ``[out, in]`` and bias ``[out]``."""


class Perceptron:
    """``sizes[0]`` inputs, ReLU hidden layers, ``sizes[-1]`` linear outputs."""

    def __init__(self, sizes: Sequence[int], rng: np.random.Generator) -> None:
        self.weights: Weights = []
        for i, (inputs, outputs) in enumerate(pairwise(sizes), 2):
            gain = RELU_GAIN if i < len(sizes) else 1.0
            weight = orthogonal(rng, outputs, inputs, gain).astype(np.float32)
            self.weights.append((weight, np.zeros(outputs, np.float32)))

    def __call__(self, inputs: Array) -> Array:
        """Map ``[n, in]`` to ``[n, out]``."""
        return self.activations(inputs)[-1]

    def activations(self, inputs: Array) -> list[Array]:
        """Inputs, every hidden layer and the outputs: ``[n, units]`` each."""
        found = [inputs]
        for i, (weight, bias) in enumerate(self.weights, 1):
            z = found[-1] @ weight.T
            z += bias
            found.append(np.maximum(z, 0, out=z) if i < len(self.weights) else z)
        return found

    def gradients(self, inputs: Array, targets: Array) -> Weights:
        """Gradients of the mean over rows and outputs of the squared error; see ``loss``."""
        activations = self.activations(inputs)
        delta = (activations[-1] - targets) * np.float32(2.0 / targets.size)
        return self.backward(activations, delta)[0]

    def backward(self, activations: list[Array], delta: Array) -> tuple[Weights, Array]:
        """Gradients of the weights and of the inputs ``[n, in]``.

        Args:
            activations: of the forward pass.
            delta: gradient of the outputs, ``[n, out]``.
        """
        found: Weights = []
        for i in reversed(range(len(self.weights))):
            below = activations[i]
            found.append((delta.T @ below, delta.sum(axis=0)))
            delta = delta @ self.weights[i][0]
            if i:  # inputs pass through no ReLU
                delta *= below > 0
        return found[::-1], delta

    def flops(self) -> float:
        """FLOPs of one forward pass of one row: two a weight."""
        return float(sum(2 * weight.size for weight, _ in self.weights))

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of all weights, by name."""
        return _named(self.weights, prefix)

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave."""
        self.weights = _read(state, prefix, len(self.weights))


def loss(outputs: Array, targets: Array) -> Array:
    """Squared error, mean over outputs: ``[n]``."""
    error = outputs - targets
    total: Array = np.einsum("...j,...j->...", error, error)  # twice as fast as square and mean
    mean: Array = total / error.shape[-1]
    return mean


def cross_entropy(logits: Array, labels: Array) -> tuple[Array, Array]:
    """``-log softmax(logits)[label]``, ``[n]``, and its gradient by the logits, ``[n, k]``."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    total = powers.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    lost: Array = np.log(total[:, 0]) - shifted[rows, labels]
    delta: Array = powers / total
    delta[rows, labels] -= 1
    return lost, delta


class Adam:
    """Kingma & Ba 2015, algorithm 1, with their constants."""

    def __init__(self, weights: Weights, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.first: Weights = [(np.zeros_like(w), np.zeros_like(b)) for w, b in weights]
        self.second: Weights = [(np.zeros_like(w), np.zeros_like(b)) for w, b in weights]
        self.steps = 0

    def step(self, weights: Weights, gradients: Weights) -> None:
        """Move ``weights`` in place."""
        self.steps += 1
        rate = self.learning_rate / (1 - 0.9**self.steps)
        correction = 1 / (1 - 0.999**self.steps)
        for layer in zip(weights, gradients, self.first, self.second, strict=True):
            for value, gradient, first, second in zip(*layer, strict=True):
                np.add(first, np.float32(0.1) * (gradient - first), out=first)
                np.add(second, np.float32(0.001) * (np.square(gradient) - second), out=second)
                length = np.sqrt(second * np.float32(correction)) + np.float32(1e-8)
                np.subtract(value, np.float32(rate) * first / length, out=value)

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of both moments and the step count, by name."""
        return {
            **_named(self.first, f"{prefix}.first"),
            **_named(self.second, f"{prefix}.second"),
            f"{prefix}.steps": np.array(self.steps, np.int64),
        }

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave."""
        self.first = _read(state, f"{prefix}.first", len(self.first))
        self.second = _read(state, f"{prefix}.second", len(self.second))
        self.steps = int(state[f"{prefix}.steps"])


def _named(weights: Weights, prefix: str) -> dict[str, Array]:
    named = {}
    for i, (weight, bias) in enumerate(weights):
        named[f"{prefix}.{i}.weight"], named[f"{prefix}.{i}.bias"] = weight.copy(), bias.copy()
    return named


def _read(state: Mapping[str, Array], prefix: str, layers: int) -> Weights:
    return [
        (state[f"{prefix}.{i}.weight"].copy(), state[f"{prefix}.{i}.bias"].copy())
        for i in range(layers)
    ]
