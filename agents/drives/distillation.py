"""A network that learns to predict a frozen random one: the error is large on novel inputs."""

import numpy as np

from agents.arrays import Array
from agents.drives.learned_drive import LearnedObjective, Stateful
from agents.models.perceptron import Adam, Perceptron, loss


class Distiller:
    """Target ``f``, drawn at the start and frozen, one hidden layer; predictor ``p`` has one more.

    So ``p`` can become ``f``. Both read whitened observations.
    """

    def __init__(self, settings: LearnedObjective, size: int, rng: np.random.Generator) -> None:
        hidden, latent = settings.hidden, settings.latent
        self.target = Perceptron((size, hidden, latent), rng)
        self.predictor = Perceptron((size, hidden, hidden, latent), rng)
        self.adam = Adam(self.predictor.weights, settings.learning_rate)

    def error(self, white: Array) -> Array:
        """``mean_j (p_j - f_j)^2``, float64 ``[...]``, of observations ``[..., size]``."""
        return loss(self.predictor(white), self.target(white)).astype(np.float64)

    def learn(self, white: Array, minibatch: int) -> None:
        """Pass once over whitened observations ``[m, size]``."""
        targets = self.target(white)
        for start in range(0, len(white), minibatch):
            part = slice(start, start + minibatch)
            gradients = self.predictor.gradients(white[part], targets[part])
            self.adam.step(self.predictor.weights, gradients)

    def looking(self) -> float:
        """FLOPs of one error."""
        return self.target.flops() + self.predictor.flops()

    def learning(self) -> float:
        """FLOPs of learning from one row; a backward pass counts as two forward passes."""
        return self.target.flops() + 3 * self.predictor.flops()

    def parts(self) -> dict[str, Stateful]:
        """What there is to keep."""
        return {"target": self.target, "predictor": self.predictor, "adam": self.adam}
