"""Interface of an objective, and what it sees of a step. Imports no torch."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
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

    def steps(self) -> Iterator["Batch"]:
        """The steps of a rollout, in order of time; views, not copies."""
        given = {name: each for name, each in vars(self).items() if each is not None}
        for t in range(len(self.reward)):
            yield Batch(**{name: each[t] for name, each in given.items()})

    def as_one(self) -> "Batch":
        """All steps of a rollout as the rows of one: ``[steps * n, ...]``, step by step."""
        given = {name: each for name, each in vars(self).items() if each is not None}
        rows = self.reward.size
        return Batch(**{k: each.reshape(rows, *each.shape[2:]) for k, each in given.items()})


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
        """Return the reward of this step, float64 ``[n]``, in the objective's unit.

        Every step is asked for once, in order of time, at the step or after the whole rollout, and
        always before ``update``. Read it, do not keep it: its arrays are written over.
        """

    def rewards(self, rollout: Batch) -> Array:
        """Return the reward of every step of a rollout, float64 ``[steps, n]``.

        By default ``reward``, step by step. An objective may compute them all at once; they and its
        state must then be what the steps would give, up to rounding.
        """
        found = np.empty(rollout.reward.shape)
        for t, step in enumerate(rollout.steps()):
            try:
                found[t] = one_a_row(self.reward(step), step)
            except BaseException as error:
                error.add_note(f"step {t}")
                raise
        return found

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
        no mixing, the genome's weights alone count. It changes in ``update`` only: it is asked
        once for all steps that are rewarded together.
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


def one_a_row(rewards: Array, batch: Batch) -> Array:
    """Return these rewards as float64. Raises ``WrongShapeError`` unless there is one a row."""
    found = np.asarray(rewards, np.float64)
    if found.shape != batch.reward.shape:
        wanted = list(batch.reward.shape)
        raise WrongShapeError(f"rewards are shaped {list(found.shape)}, not {wanted}, one each")
    return found


class WrongShapeError(ValueError):
    """An objective gives not one reward for every row."""


def row_by_row(reward: Callable[[Batch], Array], rollout: Batch) -> Array:
    """``reward`` of a whole rollout at once, ``[steps, n]``.

    For a ``reward`` of each row by itself, which no row and no step before it changes.
    """
    return reward(rollout.as_one()).reshape(rollout.reward.shape)
