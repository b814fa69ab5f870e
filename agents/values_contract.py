"""What a model of somebody else's values promises, and what it may learn from. Imports no torch."""

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
    """A world small enough to be written down: what tabular models are given."""

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
            raise ValueError("two states cannot be told apart by what is seen in them")

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
    """What somebody else was seen to do, which of it was liked better, or what they approved of.

    ``lived`` holds one episode, or fragment of one, a column: arrays ``[steps, episodes, ...]``,
    ``present`` False past its end. Its ``reward`` is whatever the other's world paid: no model of
    values may read it. ``pairs`` are columns that were compared. Where ``lived.approval`` is a
    number, the other showed it of a step that was another's, and not of its own.
    """

    lived: Batch
    pairs: Array = field(default_factory=lambda: np.zeros((0, 2), np.int64))  # int [pairs, 2]
    preferred: Array = field(default_factory=lambda: np.zeros(0))  # [pairs]: 1 the first, 0 not

    @property
    def present(self) -> Array:
        """Bool ``[steps, episodes]``."""
        shape = self.lived.action.shape
        return np.ones(shape, bool) if self.lived.present is None else self.lived.present


class ValueModel(ABC):
    """How another's values are learned. Leaves are frozen dataclasses, one a file on the shelf."""

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
        """Begin, knowing nothing of the other. Raises ``ValueError`` where a table is missing."""


class Valuer(ABC):
    """A value model at work. It reads observations, never hidden units, so it survives rewrites."""

    @abstractmethod
    def learn(self, evidence: Evidence) -> None:
        """Go on learning, from this evidence; read it, do not keep it."""

    @abstractmethod
    def reward(self, batch: Batch) -> Array:
        """What the other is believed to find this step worth, float64 ``[n]``; 0 for who left."""

    @abstractmethod
    def state_dict(self) -> Mapping[str, Array]:
        """Everything needed to go on, as arrays."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over what ``state_dict`` gave."""

    def watch(self, rollout: Batch, policy: LogChances | None = None) -> None:
        """Look at one's own steps, ``[steps, n, ...]``; read them, do not keep them.

        Adversarial models learn here: to tell these steps from the evidence they were given. To be
        called with every rollout, after it was rewarded. ``policy`` is what acted in it; a model
        that has to know it estimates it from the steps where it is not told. Raises
        ``ValueError`` where these steps are none to learn from. Most models learn nothing here.
        """
        del rollout, policy

    def unshaped(self, batch: Batch) -> Array:
        """``reward`` without what is there only to speed up learning by it, float64 ``[n]``."""
        return self.reward(batch)

    def predict(self, observation: Array, step: Array) -> Array | None:
        """What the other would do, ``[n, actions]``, at each ``step`` of its episode (int ``[n]``).

        ``None``: this model says nothing of it.
        """
        del observation, step
        return None

    def doubt(self) -> float | None:
        """Entropy in nats of the belief about the other's values; ``None``: holds no belief."""
        return None

    def heritage(self) -> Mapping[str, Array]:
        """The arrays that a rewrite of the agent may touch; here its network's, if it has one."""
        return {name: each for name, each in self.state_dict().items() if name.startswith("net.")}

    def inherit(self, heritage: Mapping[str, Array]) -> None:
        """Take over finite arrays named and shaped as in ``heritage``; all else stays."""
        state = self.state_dict()
        fitting({**state, **heritage}, state)
        new = {name: np.asarray(each, state[name].dtype) for name, each in heritage.items()}
        self.load_state_dict({**state, **new})

    def flops(self, steps: int, lessons: int = 0) -> float:
        """FLOPs of rewarding, and watching, ``steps`` and of one ``learn`` from ``lessons``."""
        del steps, lessons
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
