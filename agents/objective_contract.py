"""What an objective promises, and what it sees of a step. Imports no torch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from agents.arrays import Array


@dataclass(frozen=True)
class Batch:
    """One step of ``n`` environments, as the agent saw it.

    A whole rollout is one too: then every array has a leading axis ``[steps, n, ...]``.
    LiveObjectives are handed arrays that cannot be written to.
    """

    observation: Array  # float32 [n, size]
    action: Array  # int [n]; of a continuous env float32 [n, dimensions], within [-1, 1]
    next_observation: Array  # float32 [n, size]; the final one where the episode ended
    reward: Array  # float64 [n]: the environment's
    terminated: Array  # bool [n]
    ended: Array  # bool [n]: terminated or truncated
    present: Array | None = None  # bool [n]: False where the agent has left its episode; None: all
    approval: Array | None = None
    """float64 [n]: what somebody else who was there showed the step to be worth to them; NaN where
    nobody did. ``None``: nobody ever does."""
    advice: Array | None = None
    """int [n]: the action that somebody else would have taken instead, from 0; -1 where nobody
    says. ``None``: nobody ever does."""

    @property
    def here(self) -> Array:
        """Bool ``[..., n]``: who has not left its episode."""
        return np.ones(self.ended.shape, bool) if self.present is None else self.present

    def sealed(self) -> "Batch":
        """The same arrays, which nobody can write to: others read them, too."""
        views = {name: each.view() for name, each in vars(self).items() if each is not None}
        for each in views.values():
            each.flags.writeable = False
        return Batch(**views)


class Objective(ABC):
    """What the agent is rewarded by. Leaves are frozen dataclasses; ``spec`` names the units."""

    unit: ClassVar[str]
    scope: ClassVar[str]  # "episodic" or "lifelong"
    discrete: ClassVar[bool] = False  # True: it tells actions apart, so they must be choices

    def needs(self) -> Mapping[str, Mapping[str, Any]]:
        """Controls without which it means nothing -> the settings they must have.

        No other control may add to what is seen behind them.
        """
        return {}

    @abstractmethod
    def start(
        self, observation_size: int, actions: int, rng: np.random.Generator
    ) -> "LiveObjective":
        """Begin one agent's life."""


class LiveObjective(ABC):
    """An objective at work. It reads observations, never hidden units, so it survives rewrites."""

    @abstractmethod
    def reward(self, batch: Batch) -> Array:
        """Return the reward of this step, float64 ``[n]``, in the objective's unit."""

    @abstractmethod
    def update(self, rollout: Batch) -> None:
        """Learn from one rollout, every array ``[steps, n, ...]``; read it, do not keep it."""

    @abstractmethod
    def state_dict(self) -> Mapping[str, Array]:
        """Everything needed to go on, as arrays."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over what ``state_dict`` gave."""

    def share(self) -> float | None:
        """How much of the say this objective takes from all others now, from 0 to 1.

        With a share of alpha its own weighted reward counts alpha times, and that of the others
        1 - alpha times. ``None``: it takes nothing from anybody, weights are all there is.
        """
        return None

    def report(self) -> Mapping[str, float]:
        """Finite numbers worth seeing after every update, by name."""
        return {}

    def believed(self, batch: Batch) -> Array | None:
        """What it believes each step to be worth to somebody else, ``[n]``; reads no reward.

        ``None``: it has no such belief. Learns nothing and remembers nothing.
        """
        del batch
        return None

    def heritage(self) -> Mapping[str, Array]:
        """The arrays of its model that a rewrite may touch: they become ``AgentState.values``."""
        return {}

    def inherit(self, heritage: Mapping[str, Array]) -> None:
        """Take over arrays named and shaped as in ``heritage``, finite; optimisers stay."""
        del heritage

    def flops(self, steps: int) -> float:
        """FLOPs of rewarding and learning from this many environment steps."""
        del steps
        return 0.0
