"""A drive on features of the observations."""

from collections.abc import Mapping

import numpy as np

from agents.arrays import Array
from agents.drives.features import Features
from agents.drives.learned_drive import Drive, LearnedObjective, PresentSteps, Stateful


class Featured(Drive):
    """Whitens, unless its features are raw observations, and lets them learn after each rollout."""

    def __init__(
        self,
        settings: LearnedObjective,
        size: int,
        features: Features,
        rng: np.random.Generator,
    ) -> None:
        super().__init__(settings, size, rng)
        self._features = features

    def flops(self, steps: int) -> float:
        """One look a step for the reward; the rest is learning."""
        learning = self._settings.samples(steps) * self._features.learning()
        return steps * self._features.looking() + learning

    def _seen(self, observations: Array) -> Array:
        """What features and models are shown: whitened observations, or raw ones."""
        return self._whiten(observations) if self._features.whitens else observations

    def _phi(self, observations: Array) -> Array:
        """Features ``[n, latent]``."""
        return self._features(self._seen(observations))

    def _learn(self, steps: PresentSteps, rng: np.random.Generator) -> None:
        chosen = self._sample(len(steps.action), rng)
        size = self._settings.minibatch
        for start in range(0, len(chosen), size):
            self._fit(self._chosen(steps, chosen[start : start + size]))

    def _fit(self, steps: PresentSteps) -> None:
        """Learn from one minibatch, whitened."""
        self._features.learn(steps)

    def _chosen(self, steps: PresentSteps, places: Array) -> PresentSteps:
        before, after = self._seen(steps.before[places]), self._seen(steps.after[places])
        return PresentSteps(before, steps.action[places], after)

    def _parts(self) -> Mapping[str, Stateful]:
        return self._features.parts()
