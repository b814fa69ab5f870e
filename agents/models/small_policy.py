"""A small policy for use inside an editor: one hidden layer, softmax, REINFORCE, in numpy."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.architecture.cost import BACKWARD_PER_FORWARD
from agents.arrays import Array

LONGEST_STEP = 1.0
"""Greatest norm of a gradient of the log-probability that is followed in full."""


class SmallPolicy:
    """``softmax(W2 tanh(W1 x + b1) + b2)`` over the open choices; uniform at initialisation."""

    def __init__(self, inputs: int, hidden: int, choices: int, rng: np.random.Generator) -> None:
        """Draw incoming weights of variance ``1 / inputs``; outgoing ones are 0."""
        self.weights: dict[str, Array] = {
            "hidden.weight": rng.standard_normal((hidden, inputs)) / math.sqrt(inputs),
            "hidden.bias": np.zeros(hidden),
            "choice.weight": np.zeros((choices, hidden)),
            "choice.bias": np.zeros(choices),
        }

    @property
    def size(self) -> int:
        """Number of weights and biases."""
        return sum(each.size for each in self.weights.values())

    def chances(self, features: Array, choices: Sequence[int]) -> Array:
        """Probability of every choice, 0 for those that are not open; float ``[choices]``."""
        return self._forward(features, choices)[1]

    def learn(self, features: Array, choices: Sequence[int], chosen: int, step: float) -> None:
        """Move by ``step`` times the gradient of the log-probability of what was chosen.

        Williams 1992, "Simple statistical gradient-following algorithms", eq. 4; ``step`` is the
        rate times the reward less the baseline.
        """
        slopes = self.gradient(features, choices, chosen)
        length = math.sqrt(sum(float((each**2).sum()) for each in slopes.values()))
        step *= min(1.0, LONGEST_STEP / length) if length else 0.0
        for name, slope in slopes.items():
            self.weights[name] = self.weights[name] + step * slope

    def gradient(self, features: Array, choices: Sequence[int], chosen: int) -> Mapping[str, Array]:
        """Gradient of ``log chance of chosen`` by every weight."""
        hidden, chances = self._forward(features, choices)
        error = -chances
        error[chosen] += 1.0
        before = (self.weights["choice.weight"].T @ error) * (1 - hidden**2)
        return {
            "hidden.weight": np.outer(before, features),
            "hidden.bias": before,
            "choice.weight": np.outer(error, hidden),
            "choice.bias": error,
        }

    def choosing_flops(self) -> float:
        """FLOPs of ``chances``, counted as in ``agents/architecture/cost.py``."""
        hidden, choices = len(self.weights["hidden.bias"]), len(self.weights["choice.bias"])
        maps = sum(2.0 * self.weights[f"{each}.weight"].size for each in ("hidden", "choice"))
        return maps + 2.0 * hidden + 2.0 * choices

    def learning_flops(self) -> float:
        """FLOPs of ``learn``: forward, backward, and a product and a sum for every weight."""
        return (1 + BACKWARD_PER_FORWARD) * self.choosing_flops() + 2.0 * self.size

    def to_json(self) -> dict[str, Any]:
        """The weights as lists."""
        return {name: each.tolist() for name, each in self.weights.items()}

    def _forward(self, features: Array, choices: Sequence[int]) -> tuple[Array, Array]:
        w = self.weights
        hidden = np.tanh(w["hidden.weight"] @ features + w["hidden.bias"])
        logits = (w["choice.weight"] @ hidden + w["choice.bias"])[list(choices)]
        odds = np.exp(logits - logits.max())
        chances = np.zeros(len(w["choice.bias"]))
        chances[list(choices)] = odds / odds.sum()
        return hidden, chances
