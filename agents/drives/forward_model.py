"""A model of what an action leads to; its whitening is fixed by the first rollout."""

from collections.abc import Mapping

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.drives.features import with_action
from agents.drives.learned_drive import Drive, LearnedObjective, PresentSteps, Stateful
from agents.models.perceptron import Adam, Perceptron


class Foresight(Drive):
    """Predicts the whitened next observation from the whitened one and the action.

    Errors of different times are compared, so whitening must not change between them: its
    statistics are those of the first rollout.
    """

    def __init__(
        self, settings: LearnedObjective, size: int, actions: int, rng: np.random.Generator
    ) -> None:
        self._actions = actions
        self._model = Perceptron((size + actions, settings.hidden, size), rng)
        self._adam = Adam(self._model.weights, settings.learning_rate)
        super().__init__(settings, size, rng)

    def flops(self, steps: int) -> float:
        """Errors of all steps, and learning; a backward pass counts as two forward passes."""
        return (steps + 3 * self._settings.samples(steps)) * self._model.flops()

    def _take_in(self, steps: PresentSteps) -> None:
        if not self._updates:
            super()._take_in(steps)

    def _seen(self, steps: PresentSteps | Batch) -> tuple[Array, Array]:
        """Inputs and targets of the model."""
        if isinstance(steps, Batch):
            steps = PresentSteps(steps.observation, steps.action, steps.next_observation)
        known = with_action(self._whiten(steps.before), steps.action, self._actions)
        return known, self._whiten(steps.after)

    def _study(self, steps: PresentSteps) -> None:
        """Pass once over steps, in minibatches."""
        known, after = self._seen(steps)
        size = self._settings.minibatch
        for start in range(0, len(known), size):
            part = slice(start, start + size)
            self._adam.step(self._model.weights, self._model.gradients(known[part], after[part]))

    def _parts(self) -> Mapping[str, Stateful]:
        return {"model": self._model, "adam": self._adam}
