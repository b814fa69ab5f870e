"""Disagreement: how differently several models predict what an action leads to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.features import FeatureKind, Features, features, with_action
from agents.drives.learned_drive import SCALED, LearnedObjective, PresentSteps, Stateful
from agents.drives.on_features import Featured
from agents.models.perceptron import Adam, Perceptron
from agents.part_settings import SettingError


@dataclass(frozen=True)
class Disagreement(LearnedObjective):
    """Pathak et al. 2019: ``r = mean_j Var_k f_k(phi(s), a)_j / c``, over ``members`` models.

    Each member draws its own share of every rollout, so no two learn from the same minibatches.
    Where all have learned enough they agree on the mean, so noise stops being rewarded. The
    variance is of the ``sample`` (divided by ``members - 1``) or of the population.

    Everything changes between rollouts only; the first one has reward 0.
    """

    unit: ClassVar[str] = SCALED
    scope: ClassVar[str] = "lifelong"
    discrete: ClassVar[bool] = True

    members: int = 5
    sample_variance: bool = True
    features: FeatureKind = "random"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.members < 2:  # noqa: PLR2004
            raise SettingError(
                f"members is at least 2, not {self.members}: one cannot disagree", "members"
            )

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw the features, the members, and a seed for the samples they will learn from."""
        seen = features(self.features, self, observation_size, actions, rng)
        return _Quarrel(self, observation_size, actions, seen, rng)


class _Quarrel(Featured):
    _row_by_row = True

    def __init__(
        self,
        settings: Disagreement,
        size: int,
        actions: int,
        seen: Features,
        rng: np.random.Generator,
    ) -> None:
        self._actions, self._ddof = actions, int(settings.sample_variance)
        sizes = (seen.latent + actions, settings.hidden, seen.latent)
        self._members = [Perceptron(sizes, rng) for _ in range(settings.members)]
        self._adams = [Adam(each.weights, settings.learning_rate) for each in self._members]
        super().__init__(settings, size, seen, rng)

    def flops(self, steps: int) -> float:
        members = sum(each.flops() for each in self._members)
        looks = 2 * len(self._members) * self._features.looking()
        return (
            super().flops(steps)
            + steps * members
            + self._settings.samples(steps) * (looks + 3 * members)
        )

    def _raw(self, batch: Batch, here: Array) -> Array:
        del here
        known = with_action(self._phi(batch.observation), batch.action, self._actions)
        said = np.stack([member(known) for member in self._members]).astype(np.float64)
        variance: Array = said.var(axis=0, ddof=self._ddof).mean(axis=1)
        return variance

    def _learn(self, steps: PresentSteps, rng: np.random.Generator) -> None:
        super()._learn(steps, rng)  # the features, where they learn
        size = self._settings.minibatch
        for member, adam in zip(self._members, self._adams, strict=True):
            chosen = self._sample(len(steps.action), rng)
            for start in range(0, len(chosen), size):
                part = self._chosen(steps, chosen[start : start + size])
                known = with_action(self._features(part.before), part.action, self._actions)
                adam.step(member.weights, member.gradients(known, self._features(part.after)))

    def _parts(self) -> Mapping[str, Stateful]:
        members = {f"member{i}": each for i, each in enumerate(self._members)}
        adams = {f"member{i}_adam": each for i, each in enumerate(self._adams)}
        return {**super()._parts(), **members, **adams}
