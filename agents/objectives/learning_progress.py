"""Learning progress: regions in which prediction has lately improved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.forward_model import Foresight
from agents.drives.learned_drive import SCALED, LearnedObjective, PresentSteps, Stateful
from agents.models.perceptron import loss
from agents.models.visit_counts import signs
from agents.part_settings import SettingError


@dataclass(frozen=True)
class LearningProgress(LearnedObjective):
    """Oudeyer, Kaplan & Hafner 2007: ``r = (err(g, then) - err(g, now)) / c`` in region ``g``.

    A region is an action and the signs of ``bits`` random directions along the observation it is
    taken in. ``err`` is the mean squared error of a model that predicts the next observation, taken
    on each rollout before it is learned from; ``now`` is the last ``window`` rollouts, ``then`` the
    ``window`` before them; 0 until the region was met in both. ``progress: absolute`` rewards
    the absolute value, and so noise too; with ``signed`` noise has a mean reward of 0.

    Progress changes between rollouts only; the first ``window + 2`` have reward 0.
    """

    unit: ClassVar[str] = SCALED
    scope: ClassVar[str] = "lifelong"
    discrete: ClassVar[bool] = True

    window: int = 3
    bits: int = 4
    progress: Literal["signed", "absolute"] = "signed"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bits > 16:  # noqa: PLR2004
            raise SettingError(
                f"bits is at most 16, not {self.bits}: regions would be too many", "bits"
            )

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw the model, the regions, and a seed for the samples that it will learn from."""
        return _Progress(self, observation_size, actions, rng)


class _Ledger:
    """Errors of the last rollouts by region: sums and numbers, ``[rollouts, regions]``."""

    def __init__(self, rollouts: int, regions: int) -> None:
        self._sums = np.zeros((rollouts, regions))
        self._met = np.zeros((rollouts, regions), np.int64)

    def add(self, regions: Array, errors: Array) -> None:
        """Add a rollout and drop the oldest."""
        kinds = self._sums.shape[1]
        self._sums = np.roll(self._sums, -1, axis=0)
        self._met = np.roll(self._met, -1, axis=0)
        self._sums[-1] = np.bincount(regions, errors, kinds)
        self._met[-1] = np.bincount(regions, minlength=kinds)

    def progress(self) -> Array:
        """Mean error of the older half less that of the newer one, ``[regions]``."""
        half = len(self._sums) // 2
        sums = np.stack([self._sums[:half].sum(axis=0), self._sums[half:].sum(axis=0)])
        met = np.stack([self._met[:half].sum(axis=0), self._met[half:].sum(axis=0)])
        means = sums / np.maximum(met, 1)
        return np.where(met.all(axis=0), means[0] - means[1], 0.0)

    def state(self, prefix: str) -> dict[str, Array]:
        return {f"{prefix}.sums": self._sums.copy(), f"{prefix}.met": self._met.copy()}

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        self._sums = state[f"{prefix}.sums"].copy()
        self._met = state[f"{prefix}.met"].copy()


class _Constant:
    """Random directions, drawn at the start and frozen."""

    def __init__(self, value: Array) -> None:
        self.value = value

    def state(self, prefix: str) -> dict[str, Array]:
        return {prefix: self.value.copy()}

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        self.value = state[prefix].copy()


class _Progress(Foresight):
    _row_by_row = True

    def __init__(
        self, settings: LearningProgress, size: int, actions: int, rng: np.random.Generator
    ) -> None:
        self._directions = _Constant(rng.standard_normal((settings.bits, size + 1)))
        super().__init__(settings, size, actions, rng)
        self._silent = settings.window + 2
        self._ledger = _Ledger(2 * settings.window, 2**settings.bits * actions)
        self._absolute = settings.progress == "absolute"
        self._refresh()

    def flops(self, steps: int) -> float:
        return super().flops(steps) + 4.0 * steps * self._directions.value.size

    def _raw(self, batch: Batch, here: Array) -> Array:
        del here
        return self._rewards[self._regions(batch.observation, batch.action)]

    def _learn(self, steps: PresentSteps, rng: np.random.Generator) -> None:
        known, after = self._seen(steps)
        errors = loss(self._model(known), after).astype(np.float64)
        self._ledger.add(self._regions(steps.before, steps.action), errors)
        self._refresh()
        chosen = self._sample(len(errors), rng)
        self._study(PresentSteps(*(each[chosen] for each in steps)))

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        super().load_state_dict(state)
        self._refresh()

    def _refresh(self) -> None:
        progress = self._ledger.progress()
        self._rewards: Array = np.abs(progress) if self._absolute else progress

    def _regions(self, observations: Array, action: Array) -> Array:
        above = signs(observations, self._directions.value)
        places: Array = (above @ (1 << np.arange(above.shape[1]))) * self._actions + action
        return places

    def _parts(self) -> Mapping[str, Stateful]:
        return {**super()._parts(), "ledger": self._ledger, "directions": self._directions}
