"""Interface of a model of another agent's values, and what it learns from. Imports no torch."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.models.row_keys import exact, look_up, row_keys

LogChances = Callable[[Array], Array]
"""Observations ``[k, size]`` -> log probabilities of all actions, ``[k, actions]``."""


@dataclass(frozen=True)
class Dynamics:
    """The full dynamics of a small world, which tabular models receive."""

    observation: Array  # float32 [states, size]: what is seen in each state, all different
    transition: Array  # float64 [states, actions, states]: probabilities of arriving
    start: Array  # float64 [states]: probabilities of beginning
    horizon: int  # steps an episode

    def __post_init__(self) -> None:
        states, actions = self.transition.shape[:2]
        shapes: dict[str, tuple[int, ...]] = {"observation": (states, self.observation.shape[1])}
        shapes |= {"transition": (states, actions, states), "start": (states,)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} is {list(shape)}, not {list(getattr(self, name).shape)}")
        for name in ("transition", "start"):
            table = getattr(self, name)
            if table.min() < 0 or not np.allclose(table.sum(axis=-1), 1):
                raise ValueError(f"{name} holds probabilities, which add up to 1")
        if self.horizon < 1:
            raise ValueError(f"an episode has at least one step, not {self.horizon}")
        if len(self._rows) != states:
            raise ValueError("two states have the same observation")

    @cached_property
    def _rows(self) -> dict[bytes, int]:
        return {key: i for i, key in enumerate(row_keys(exact(self.observation)))}

    def states(self, observations: Array) -> Array:
        """State of each observation, int ``[n]``. Raises ``ValueError`` for one of no state."""
        found = look_up(repeat(self._rows), row_keys(exact(observations)), -1)
        if (found < 0).any():
            raise ValueError(f"no state of the table looks like row {int(np.argmin(found))}")
        return found


@dataclass(frozen=True)
class Evidence:
    """Observed behaviour of another agent, its preferences between episodes, or its approval.

    ``steps`` holds one episode, or fragment of one, a column: arrays ``[steps, episodes, ...]``,
    ``present`` False past its end. Its ``reward`` is the other agent's environment reward: no model
    of values may read it. ``pairs`` are columns that were compared. Where ``steps.approval`` is a
    number, the step is not the other agent's own: it approved of it as an observer.
    """

    steps: Batch
    pairs: Array = field(default_factory=lambda: np.zeros((0, 2), np.int64))  # int [pairs, 2]
    preferred: Array = field(default_factory=lambda: np.zeros(0))  # [pairs]: 1 the first, 0 not

    @property
    def present(self) -> Array:
        """Bool ``[steps, episodes]``."""
        shape = self.steps.action.shape
        return np.ones(shape, bool) if self.steps.present is None else self.steps.present


class ValueModel(ABC):
    """How another agent's values are learned. Leaves are frozen dataclasses, one a part file."""

    unit: ClassVar[str]  # of the learned reward
    learns_from: ClassVar[str]  # "demonstrations", "comparisons" or "approval"
    tabular: ClassVar[bool] = False  # True: needs ``dynamics``

    @abstractmethod
    def start(
        self,
        observation_size: int,
        actions: int,
        rng: np.random.Generator,
        dynamics: Dynamics | None = None,
    ) -> "Valuer":
        """Start without data of the other agent. Raises ``ValueError`` where a table is missing."""


class Valuer(ABC):
    """A running value model. It reads observations, never hidden units, so it survives rewrites."""

    @abstractmethod
    def learn(self, evidence: Evidence) -> None:
        """Continue learning from this evidence; read it, do not keep it."""

    @abstractmethod
    def reward(self, batch: Batch) -> Array:
        """Estimated value of this step to the other agent, float64 ``[n]``; 0 for absent agents."""

    @abstractmethod
    def state_dict(self) -> Mapping[str, Array]:
        """Everything needed to go on, as arrays."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over what ``state_dict`` gave."""

    def watch(self, rollout: Batch, policy: LogChances | None = None) -> None:
        """Observe the agent's own steps, ``[steps, n, ...]``; read them, do not keep them.

        Adversarial models learn here to distinguish these steps from the evidence. To be called
        with every rollout, after it was rewarded. ``policy`` is what acted in it; a model that
        needs it estimates it from the steps where it is not given. Raises ``ValueError`` where
        these steps cannot be learned from. Most models learn nothing here.
        """
        del rollout, policy

    def unshaped(self, batch: Batch) -> Array:
        """``reward`` without its shaping term, which only speeds up learning, float64 ``[n]``."""
        return self.reward(batch)

    def predict(self, observation: Array, step: Array) -> Array | None:
        """What the other agent does, ``[n, actions]`` at each ``step`` of its episode, int ``[n]``.

        ``None``: this model makes no prediction.
        """
        del observation, step
        return None

    def doubt(self) -> float | None:
        """Entropy in nats of the belief about the other agent's values; ``None``: it has none."""
        return None

    def transferable_parameters(self) -> Mapping[str, Array]:
        """Transferable parameters, which a rewrite may change; by default its network's, if any."""
        return {name: each for name, each in self.state_dict().items() if name.startswith("net.")}

    def import_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Import finite arrays named and shaped as the exported ones; all else stays."""
        state = self.state_dict()
        fitting({**state, **parameters}, state)
        new = {name: np.asarray(each, state[name].dtype) for name, each in parameters.items()}
        self.load_state_dict({**state, **new})

    def flops(self, steps: int, samples: int = 0) -> float:
        """FLOPs of rewarding, and watching, ``steps`` and of one ``learn`` from ``samples``."""
        del steps, samples
        return 0.0


def known(dynamics: Dynamics | None, observation_size: int, actions: int) -> Dynamics:
    """Return the table. Raises ``ValueError`` where there is none or it is of another world."""
    if dynamics is None:
        raise ValueError("a tabular model needs the dynamics of its world")
    fits = dynamics.observation.shape[1], dynamics.transition.shape[1]
    if fits != (observation_size, actions):
        raise ValueError(
            f"the table is of {fits} inputs and actions, not {observation_size, actions}"
        )
    return dynamics


def fitting(state: Mapping[str, Array], mine: Mapping[str, Array]) -> Mapping[str, Array]:
    """Return ``state``. Raises ``ValueError`` naming an array that is not shaped as in ``mine``."""
    for name, array in mine.items():
        if name not in state or np.shape(state[name]) != array.shape:
            raise ValueError(f"cannot go on from this state: '{name}' does not fit")
    return state
