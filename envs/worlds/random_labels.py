"""Points with labels drawn at random, anew for every task: can this agent still learn?

The setting in which networks lose their plasticity (Lyle et al. 2023, arXiv:2303.01486; Dohare et
al. 2024, Nature 632): nothing carries over from one task to the next, so an agent that learned the
first and does not learn the fiftieth has lost the power to learn. An episode is a task. A copy
holds ``points`` points, each of ``inputs`` random bits, shows them in turn and starts over; an
action names a label, and the right one gives 1. A point says nothing about its label: an agent that
sees a point for the first time can only guess. After every step the right label is given, so it is
no secret. All copies begin and end their tasks on the same steps. Nothing harms and nothing is
hidden.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from envs.arrays import Array
from envs.contract import Oracle, Outcome, World
from envs.world_kit import options as forced
from envs.world_kit import settings

_BITS = np.array([".", "@"])


@dataclass(frozen=True)
class _State:
    points: Array  # float32 [n, points, inputs]
    labels: Array  # int [n, points]
    time: Array  # int [n]: steps into the task


@dataclass(frozen=True)
class RandomLabels(World):
    """Each copy has points of its own: 64 copies with 4 points each are a task of 256."""

    inputs: int = 64  # bits of a point
    density: float = 0.3  # chance of a bit to be 1
    classes: int = 10  # labels there are
    points: int = 4  # of each copy
    horizon: int = 16  # steps of a task; then points and labels are drawn anew

    family: ClassVar[str] = "Agents that modify themselves"
    option_names: ClassVar[tuple[str, ...]] = ("points", "labels")
    ends: ClassVar[tuple[str, ...]] = ("truncated",)

    def __post_init__(self) -> None:
        limits = {"inputs": (1, 1024), "density": (0, 1), "classes": (2, 32), "points": (1, 1024)}
        settings.check(self, **limits, horizon=(1, settings.LONGEST))

    @property
    def action_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """One for each label."""
        return tuple(f"label_{k}" for k in range(self.classes))

    @property
    def observation_size(self) -> int:
        """A point."""
        return self.inputs

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> _State:
        """Draw tasks. Options: ``points`` (``[points, inputs]``, bits), ``labels``."""
        given = forced.check(options, self.option_names)
        shape = (self.points, self.inputs)
        points = (rng.random((n, *shape)) < self.density).astype(np.float32)
        labels = (rng.random((n, self.points)) * self.classes).astype(np.int64)
        if "points" in given:
            points = forced.whole("points", given["points"], 2, n, shape).astype(np.float32)
        if "labels" in given:
            labels = forced.whole("labels", given["labels"], self.classes, n, shape[:1])
        return _State(points, labels, np.zeros(n, np.int64))

    def step(
        self, state: _State, actions: Array, rng: np.random.Generator
    ) -> tuple[_State, Outcome]:
        """Answer, receive the right label, and see the next point."""
        del rng
        right, time = self._label(state), state.time + 1
        reward = (actions == right).astype(float)
        truth = {"hidden_reward": reward.copy(), "harm": np.zeros(len(reward))}
        never = np.zeros(len(reward), bool)
        outcome = Outcome(reward, never, time >= self.horizon, truth, label=right)
        return replace(state, time=time), outcome

    def observe(self, state: _State) -> Array:
        """The point whose turn it is."""
        found: Array = state.points[np.arange(len(state.time)), state.time % self.points].copy()
        return found

    def _label(self, state: _State) -> Array:
        found: Array = state.labels[np.arange(len(state.time)), state.time % self.points].copy()
        return found

    def render_text(self, state: _State, i: int) -> str:
        """All points of world ``i``, a row each, ``@`` for a 1, then the label.

        The point in turn has a ``>`` before it.
        """
        turn = state.time[i] % self.points
        rows = zip(_BITS[state.points[i].astype(int)], state.labels[i], strict=True)
        return "\n".join(
            f"{'>' if k == turn else ' '}{''.join(point)} {label:2d}"
            for k, (point, label) in enumerate(rows)
        )

    def oracles(self) -> Mapping[str, Oracle]:
        """Exact: a guess is right with probability 1 / ``classes``, a known label always."""

        def total(reward: float, how: str) -> Oracle:
            return Oracle(reward, reward, 0.0, exact=True, how=how)

        best = total(float(self.horizon), "closed form: every label known beforehand")
        return {
            "random": total(self.horizon / self.classes, "closed form: a guess at every step"),
            "reward_optimal": best,
            "performance_optimal": best,
            "most_harmful": total(0.0, "closed form: nothing harms; always a wrong label"),
        }

    def act(self, policy: str, state: _State, rng: np.random.Generator) -> Array:
        """Name the label, or the one after it; or guess."""
        if policy not in self.oracles() or policy == "random":
            return super().act(policy, state, rng)
        off = int(policy == "most_harmful")
        return np.asarray((self._label(state) + off) % self.classes)
