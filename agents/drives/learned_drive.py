"""What objectives with a learned model share: settings, warm-up, scale, sampling, checkpoint."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.models.running_moments import Normaliser, ReturnScale, Whitener
from agents.objective_contract import row_by_row
from agents.part_settings import SettingError

SCALED = "deviations of the discounted intrinsic return"


@dataclass(frozen=True)
class LearnedObjective(Objective):
    """Settings of every objective with a learned model."""

    weight: float = 0.3
    latent: int = 16
    hidden: int = 32
    learning_rate: float = 1e-3
    update_proportion: float = 0.25  # share of a rollout's observations that is learned from
    most_samples: int = 4096  # ... but no more than this
    minibatch: int = 128
    discount: float = 0.99  # of the intrinsic return that scales rewards
    clip: float = 5.0  # of whitened observations
    normaliser: Normaliser = "return_std"

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.type in {int, "int"} and value < 1:
                raise SettingError(f"{each.name} is at least 1, not {value}", each.name)
        for name in ("learning_rate", "clip"):
            above_zero(self, name)
        if not 0 < self.update_proportion <= 1:
            raise SettingError(
                f"update_proportion is above 0, at most 1: {self.update_proportion}",
                "update_proportion",
            )
        check_discount(self.discount)

    def samples(self, rows: int) -> int:
        """How many of a rollout's rows are learned from."""
        return min(math.ceil(rows * self.update_proportion), self.most_samples)


def above_zero(settings: Objective, name: str) -> None:
    """Raise ``ValueError`` where a setting is not a finite number above 0."""
    value = getattr(settings, name)
    if not 0 < value < math.inf:
        raise SettingError(f"{name} is a finite number above 0, not {value}", name)


def check_discount(discount: float) -> None:
    """Raise ``ValueError`` where an intrinsic return could be without bound."""
    if not 0 <= discount < 1:
        raise SettingError(f"discount is at least 0 and below 1, not {discount}", "discount")


class Stateful(Protocol):
    """Something with arrays to keep: a network, an optimiser, a memory."""

    def state(self, prefix: str) -> dict[str, Array]:
        """Copies of everything, by name."""

    def load(self, state: Mapping[str, Array], prefix: str) -> None:
        """Take over what ``state`` gave."""


class PresentSteps(NamedTuple):
    """Transitions of the agents that were present, in order of time: ``m`` rows."""

    before: Array  # float32 [m, size]
    action: Array  # int [m]
    after: Array  # float32 [m, size]


class Drive(LiveObjective):
    """Gives ``_raw`` over a running scale, and learns between rollouts only.

    The first rollout has reward 0: it only collects the statistics. At its end it is passed through
    ``_raw`` again with those statistics, step by step, so that memories and the scale include it. A
    reward that needs more rollouts, such as progress, is 0 for ``_silent`` rollouts in all.
    """

    _silent = 1
    _row_by_row: ClassVar[bool] = False
    """True: ``_raw`` of a row depends on that row alone and remembers nothing."""

    def __init__(self, settings: LearnedObjective, size: int, rng: np.random.Generator) -> None:
        self._settings = settings
        self._whiten = Whitener(size, settings.clip)
        self._returns = ReturnScale(settings.discount, settings.normaliser)
        self._seed = int(rng.integers(2**62))
        self._updates = 0

    @abstractmethod
    def _raw(self, batch: Batch, here: Array) -> Array:
        """Return this step's reward before scaling, float64 ``[n]``, and remember the step.

        Rows not ``here`` may be any finite number and leave no trace.
        """

    @abstractmethod
    def _learn(self, steps: PresentSteps, rng: np.random.Generator) -> None:
        """Learn from the steps of a rollout, at least one; ``rng`` is new at each update."""

    @abstractmethod
    def _parts(self) -> Mapping[str, Stateful]:
        """Everything learned or remembered, by name, beside what every drive has."""

    def reward(self, batch: Batch) -> Array:
        """The reward of this step, over the scale of the rollouts before."""
        here = batch.here
        if not self._updates:
            return np.zeros(len(here))
        raw = np.where(here, self._raw(batch, here), 0.0)
        self._returns.add(raw, here)
        if self._updates < self._silent:
            return np.zeros(len(here))
        scaled: Array = raw / self._returns.scale
        return scaled

    def rewards(self, rollout: Batch) -> Array:
        """The same of all steps: in one pass where no step changes what the next one is worth."""
        if not self._updates:
            return np.zeros(rollout.reward.shape)
        if not self._row_by_row:
            return super().rewards(rollout)
        raw = self._rerun(rollout)
        self._returns.add_all(raw, rollout.here)
        if self._updates < self._silent:
            return np.zeros(raw.shape)
        scaled: Array = raw / self._returns.scale
        return scaled

    def update(self, rollout: Batch) -> None:
        """Let statistics, scale and model take in a rollout, in this order."""
        here = rollout.here
        steps = _flat(rollout, here)
        if not len(steps.action):
            return
        self._take_in(steps)
        if not self._updates:
            self._returns.add_all(self._rerun(rollout), here)
        self._returns.commit()
        self._learn(steps, np.random.Generator(np.random.PCG64([self._seed, self._updates])))
        self._updates += 1

    def state_dict(self) -> Mapping[str, Array]:
        """Every part by its name."""
        found = {
            "seed": np.array(self._seed, np.int64),
            "updates": np.array(self._updates, np.int64),
        }
        for name, part in self._all_parts().items():
            found |= part.state(name)
        return found

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over what ``state_dict`` gave; ``ValueError`` where it does not fit."""
        for name, mine in self.state_dict().items():
            if name not in state or not _fits(name, mine, state[name]):
                raise ValueError(f"it cannot go on from this state: '{name}' does not fit")
        for name, part in self._all_parts().items():
            part.load(state, name)
        self._seed, self._updates = int(state["seed"]), int(state["updates"])

    def _take_in(self, steps: PresentSteps) -> None:
        """Let the observations' statistics learn of the rollout, before anything else does."""
        self._whiten.add(steps.after)

    def _rerun(self, rollout: Batch) -> Array:
        """Raw rewards of all steps, ``[steps, n]``; 0 where the agent has left."""
        if self._row_by_row:
            raw = row_by_row(lambda rows: self._raw(rows, rows.here), rollout)
        else:
            raw = np.stack([self._raw(step, step.here) for step in rollout.steps()])
        return np.where(rollout.here, raw, 0.0)

    def _all_parts(self) -> Mapping[str, Stateful]:
        return {**self._parts(), "observations": self._whiten, "returns": self._returns}

    def _sample(self, rows: int, rng: np.random.Generator) -> Array:
        """Places of a random share of ``rows``, each once."""
        return rng.choice(rows, self._settings.samples(rows), replace=False)


def _fits(name: str, mine: Array, other: Array) -> bool:
    """Memories and filters have as many rows as environments, or steps: any number."""
    free = ".memory." in name or name == "returns.filter"
    return mine.ndim == other.ndim if free else mine.shape == other.shape


def _flat(rollout: Batch, here: Array) -> PresentSteps:
    parts = rollout.observation, rollout.action, rollout.next_observation
    if here.all():  # saves a copy
        return PresentSteps(*(each.reshape(-1, *each.shape[2:]) for each in parts))
    return PresentSteps(*(each[here] for each in parts))
