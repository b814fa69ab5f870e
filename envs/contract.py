"""The contract of a world: pure, batched dynamics; ground truth is hidden from the agent."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from envs.arrays import Array

State = Any
"""A frozen dataclass of arrays, each with a leading batch axis ``[n, ...]``; a plain value."""


@dataclass(frozen=True)
class Outcome:
    """What one step did to ``n`` worlds. ``agents`` axes exist only in a ``JointWorld``.

    ``truth`` is for the recorder alone. It always holds ``hidden_reward`` and ``harm``, each of the
    shape of ``reward``; every other entry is a per-step event count of the same shape.
    """

    reward: Array  # float64 [n] or [n, agents]
    terminated: Array  # bool [n]; wins where the clock runs out on the same step
    truncated: Array  # bool [n]; never set together with terminated
    truth: Mapping[str, Array]
    executed: Array | None = None
    """Actions carried out, shape of ``reward``, where a world replaces some; the agent may know."""
    label: Array | None = None
    """The right actions, shape of ``reward``, where a world gives them afterwards; likewise."""


@dataclass(frozen=True)
class Oracle:
    """Expected totals per episode of one reference policy: the anchors of normalised metrics."""

    reward: float
    hidden_reward: float
    harm: float
    exact: bool  # by dynamic programming, search or closed form; else measured
    how: str  # one line: how the numbers were obtained


class World(ABC):
    """One-agent dynamics. Leaves are frozen dataclasses; their fields are its settings."""

    agents: ClassVar[tuple[str, ...]] = ("agent",)
    action_names: ClassVar[tuple[str, ...]]
    option_names: ClassVar[tuple[str, ...]] = ()  # hidden draws that ``reset`` can force
    ends: ClassVar[tuple[str, ...]] = ("terminated", "truncated")
    """The ways an episode can end; one that always ends, or never, before the clock has one."""
    legend: ClassVar[Mapping[str, str]] = {}
    """Letter of ``render_text`` -> what it is ("coin, reward 1"); empty: the text is no map."""

    family: ClassVar[str] = ""
    """Heading under which the gallery shows it, as in "AI safety gridworlds"."""

    @property
    @abstractmethod
    def horizon(self) -> int:
        """Steps to truncation."""

    @property
    @abstractmethod
    def observation_size(self) -> int:
        """Length of one agent's observation."""

    @abstractmethod
    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> State:
        """Start ``n`` worlds at once; ``options`` force hidden draws by name."""

    @abstractmethod
    def step(self, state: State, actions: Array, rng: np.random.Generator) -> tuple[State, Outcome]:
        """Advance every world by one action (int ``[n]``); ``state`` is not changed."""

    @abstractmethod
    def observe(self, state: State) -> Array:
        """Return what the agent may see: float32 ``[n, observation_size]`` in [0, 1]."""

    @abstractmethod
    def render_text(self, state: State, i: int) -> str:
        """World ``i`` as ASCII, rows separated by newlines."""

    @abstractmethod
    def oracles(self) -> Mapping[str, Oracle]:
        """At least ``random``, ``reward_optimal``, ``performance_optimal``, ``most_harmful``."""

    def caption(self, state: State, i: int) -> str:
        """One line about world ``i`` that its map does not show, for people; often empty."""
        del state, i
        return ""

    @property
    def places(self) -> int:
        """Number of places that can be acted in, as numbered by ``place``; 0: not given."""
        return 0

    def place(self, state: State) -> Array:
        """Where each world's agent is, int ``[n]`` in ``0..places - 1``: what coverage counts."""
        del state
        raise LookupError("this world does not say where its agent is")

    def channels(self) -> Mapping[str, Sequence[int]]:
        """Named parts of the observation -> their indices; what a control may hide by name."""
        return {}

    def act(self, policy: str, state: State, rng: np.random.Generator) -> Array:
        """Actions of the reference policy behind an oracle, int ``[n]`` or ``[n, agents]``.

        Raises ``LookupError`` where only the value of that policy is known.
        """
        if policy != "random":
            raise LookupError(f"only the value of '{policy}' is known here, not its actions")
        first = next(iter(vars(state).values()))
        shape = (len(first), len(self.agents)) if isinstance(self, JointWorld) else (len(first),)
        return rng.integers(len(self.action_names), size=shape)

    def branches(self, state: State, actions: Array) -> Sequence[tuple[Array, State, Outcome]]:
        """Every way a step can go: probability ``[n]``, state and outcome of each.

        Exact planning asks this. A world whose step draws nothing has one, and inherits it; any
        other says its own, or this raises ``LookupError``.
        """
        after, outcome = self.step(state, actions, cast("np.random.Generator", NoChance()))
        return [(np.ones(len(outcome.terminated)), after, outcome)]

    def distributions(self) -> Mapping[str, "World"]:
        """Level distributions to evaluate on; a world that varies its levels adds to these.

        They differ in ``reset`` alone: a level is part of the state, so any of these worlds can
        step and show the levels of any other.
        """
        return {"in_distribution": self}


class NoChance:
    """Replaces a generator where nothing may be drawn."""

    def __getattr__(self, name: str) -> Any:
        raise LookupError(f"this world's step draws (rng.{name}) and does not say its branches")


class JointWorld(World):
    """Several agents move at once: actions ``[n, agents]``, observations ``[n, agents, size]``."""
