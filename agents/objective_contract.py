"""Interface of an objective, and what it sees of a step. Imports no torch."""

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
    Live objectives receive read-only arrays.
    """

    observation: Array  # float32 [n, size]
    action: Array  # int [n]; of a continuous env float32 [n, dimensions], within [-1, 1]
    next_observation: Array  # float32 [n, size]; the final one where the episode ended
    reward: Array  # float64 [n]: the environment's
    terminated: Array  # bool [n]
    ended: Array  # bool [n]: terminated or truncated
    present: Array | None = None  # bool [n]: False where the agent has left its episode; None: all
    approval: Array | None = None
    """float64 [n]: the value of the step to another agent present, as that agent showed it; NaN
    where none did. ``None``: no agent ever does."""
    advice: Array | None = None
    """int [n]: the action that another agent would have taken instead, from 0; -1 where none is
    given. ``None``: no agent ever does."""

    @property
    def here(self) -> Array:
        """Bool ``[..., n]``: False where the agent has left its episode."""
        return np.ones(self.ended.shape, bool) if self.present is None else self.present

    def sealed(self) -> "Batch":
        """The same arrays, read-only: they are shared with other objectives."""
        views = {name: each.view() for name, each in vars(self).items() if each is not None}
        for each in views.values():
            each.flags.writeable = False
        return Batch(**views)


class Objective(ABC):
    """What the agent is rewarded by. Leaves are frozen dataclasses; ``spec`` names the units."""

    unit: ClassVar[str]
    scope: ClassVar[str]  # "episodic" or "lifelong"
    discrete: ClassVar[bool] = False  # True: it distinguishes actions, which must be discrete

    def needs(self) -> Mapping[str, Mapping[str, Any]]:
        """Controls that this objective requires -> the settings they must have.

        No other control applied after them may add to the observation.
        """
        return {}

    @abstractmethod
    def start(
        self, observation_size: int, actions: int, rng: np.random.Generator
    ) -> "LiveObjective":
        """Start this objective for one agent."""


class LiveObjective(ABC):
    """A running objective. It reads observations, never hidden units, so it survives rewrites."""

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
        """Mixing weight alpha of this objective against all others now, from 0 to 1.

        Its own weighted reward is multiplied by alpha, that of the others by 1 - alpha. ``None``:
        no mixing, the genome's weights alone count.
        """
        return None

    def report(self) -> Mapping[str, float]:
        """Finite numbers worth seeing after every update, by name."""
        return {}

    def believed(self, batch: Batch) -> Array | None:
        """Estimated value of each step to another agent, ``[n]``; reads no reward.

        ``None``: it makes no such estimate. Changes no state.
        """
        del batch
        return None

    def transferable_parameters(self) -> Mapping[str, Array]:
        """Transferable parameters of its value model: they become ``AgentState.values``."""
        return {}

    def import_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Import arrays named and shaped as the exported ones, finite; optimisers stay."""
        del parameters

    def flops(self, steps: int) -> float:
        """FLOPs of rewarding and learning from this many environment steps."""
        del steps
        return 0.0
