"""Compression progress ("creativity"): by how much learning has shortened what was seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.drives.forward_model import Foresight
from agents.drives.learned_drive import SCALED, LearnedObjective, PresentSteps, Stateful, above_zero
from agents.models.perceptron import Perceptron


@dataclass(frozen=True)
class CompressionProgress(LearnedObjective):
    """Schmidhuber 2009: ``r = (C(p_old, h) - C(p_new, h)) / c``, the same history ``h``, in nats.

    ``p`` is a model that predicts the next observation; a step's code length is that of a normal
    code of width ``deviation`` around the prediction, in deviations of the first rollout:
    ``||s' - p(s, a)||^2 / (2 deviation^2)`` and a constant, which cancels in the difference.
    ``p_old`` and ``p_new`` are the model before and after the last update. Both are scored on the
    same data, so growth of the history alone gives 0; both have as many weights, so their own bits
    cancel.

    ``credit: step`` rewards each step with its own term of the sum, for the step just made; so the
    reward depends on the place. ``credit: history`` rewards every step of the next rollout with the
    mean over the history, a little of it from memorised noise. The history is the last ``held``
    steps of a random share of every rollout. The first two rollouts have reward 0.
    """

    unit: ClassVar[str] = SCALED
    scope: ClassVar[str] = "lifelong"
    discrete: ClassVar[bool] = True

    held: int = 1024
    deviation: float = 1.0
    credit: Literal["step", "history"] = "step"

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero(self, "deviation")

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw the model, and a seed for the samples that it will learn from."""
        return _Creativity(self, observation_size, actions, rng)


class _History:
    """The last steps that were kept."""

    def __init__(self, size: int, most: int) -> None:
        self._most = most
        none = np.zeros((0, size), np.float32)
        self.steps = PresentSteps(none, np.zeros(0, np.int64), none)

    def add(self, steps: PresentSteps) -> None:
        """Append steps; the oldest are dropped."""
        both = zip(self.steps, steps, strict=True)
        self.steps = PresentSteps(*(np.concatenate(pair)[-self._most :] for pair in both))

    def state(self, prefix: str) -> dict[str, Array]:
        named = self.steps._asdict()
        return {f"{prefix}.memory.{name}": each.copy() for name, each in named.items()}

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        self.steps = PresentSteps(
            *(state[f"{prefix}.memory.{name}"].copy() for name in PresentSteps._fields)
        )


class _Saved:
    """The nats that the last update saved on a step of the history, in the mean."""

    def __init__(self) -> None:
        self.mean = 0.0

    def state(self, prefix: str) -> dict[str, Array]:
        return {prefix: np.array(self.mean)}

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        self.mean = float(state[prefix])


class _Creativity(Foresight):
    _silent = 2

    def __init__(
        self, settings: CompressionProgress, size: int, actions: int, rng: np.random.Generator
    ) -> None:
        super().__init__(settings, size, actions, rng)
        self._per_step = settings.credit == "step"
        self._weigh = 0.5 / settings.deviation**2
        self._history = _History(size, settings.held)
        self._old = _copy(self._model)
        self._saved = _Saved()

    def flops(self, steps: int) -> float:
        passes = 2 * len(self._history.steps.action) + steps
        return super().flops(steps) + passes * self._model.flops()

    def progress(self, steps: PresentSteps | Batch) -> Array:
        """Nats saved on each of these steps by the last update, ``[m]``."""
        known, after = self._seen(steps)
        lengths = [self._length(model(known) - after) for model in (self._old, self._model)]
        return lengths[0] - lengths[1]

    def _raw(self, batch: Batch, here: Array) -> Array:
        return self.progress(batch) if self._per_step else np.full(len(here), self._saved.mean)

    def _learn(self, steps: PresentSteps, rng: np.random.Generator) -> None:
        kept = np.sort(self._sample(len(steps.action), rng))
        self._history.add(PresentSteps(*(each[kept] for each in steps)))
        held = self._history.steps
        chosen = rng.permutation(len(held.action))[: len(kept)]
        self._old = _copy(self._model)
        self._study(PresentSteps(*(each[chosen] for each in held)))
        self._saved.mean = float(self.progress(held).mean())

    def _length(self, error: Array) -> Array:
        found: Array = self._weigh * np.einsum("nj,nj->n", error, error).astype(np.float64)
        return found

    def _parts(self) -> Mapping[str, Stateful]:
        mine: dict[str, Stateful] = {
            "old": self._old,
            "history": self._history,
            "saved": self._saved,
        }
        return {**super()._parts(), **mine}


def _copy(model: Perceptron) -> Perceptron:
    """Another model with the same weights."""
    other = Perceptron((1, 1), np.random.default_rng(0))
    other.weights = [(weight.copy(), bias.copy()) for weight, bias in model.weights]
    return other
