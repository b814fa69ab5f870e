"""Assistance: rewards the number of places another agent can reach, learned by watching it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.drives.companions import UNSEEN, CompanionCounts
from agents.objective_contract import row_by_row
from agents.part_settings import SettingError


@dataclass(frozen=True)
class Assistance(Objective):
    """Choice of another agent from where it is, while the agent stays as it is (bits).

    After Franzmeyer et al. 2022 (arXiv:2107.09598), who reward an altruistic agent by the choice
    of a leader whose goals it does not know. The observation's columns ``other`` (first, and the
    one after the last) show the other's place; all else is the agent's own part. The agent counts,
    over the rollouts before this one, where the other went from each place for each own part. The
    reward is that of the state arrived in, the own part held fixed:

    - ``reachable``: ``log2`` of the number of places within ``steps`` steps, its own among them,
      along moves seen at least once; ``steps: 0`` is without limit;
    - ``immediate``: entropy of the next place, by the frequencies seen;
    - ``entropic``: entropy of the place after ``steps`` steps of that Markov chain.

    Conventions: moves of the other never seen are taken as impossible, and in a place where it was
    never seen it stays (0 bits); the end of an episode (termination, not a cut) has 0 bits. The
    other's goals are not modelled: a choice of its own looks like chance. What is counted is what
    the other does, not what it could do: a room it never enters counts as unreachable. For worlds
    of few states; the agent's actions are not used. The original counts states of the world's known
    dynamics.
    """

    unit: ClassVar[str] = "bits"
    scope: ClassVar[str] = "lifelong"

    weight: float = 0.1
    other: tuple[int, int] = (0, 1)
    choice: Literal["reachable", "immediate", "entropic"] = "reachable"
    steps: int = 3  # of the other's; "immediate" has one

    def __post_init__(self) -> None:
        object.__setattr__(self, "other", tuple(self.other))  # JSON has lists only
        if len(self.other) != 2 or not 0 <= self.other[0] < self.other[1]:  # noqa: PLR2004
            raise SettingError(
                f"other is a first column and one after the last, not {self.other}", "other"
            )
        if self.choice not in {"reachable", "immediate", "entropic"}:
            raise SettingError(
                f"choice is reachable, immediate or entropic, not '{self.choice}'", "choice"
            )
        if self.steps < (self.choice == "entropic"):
            raise SettingError(f"steps is at least {int(self.choice == 'entropic')}", "steps")

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Begin with nothing seen; nothing is drawn."""
        del actions, rng
        if self.other[1] > observation_size:
            raise SettingError(
                f"other ends at column {self.other[1]}, an observation has {observation_size}",
                "other",
            )
        return _Watching(self, observation_size)


class _Watching(LiveObjective):
    def __init__(self, settings: Assistance, size: int) -> None:
        self._settings = settings
        self._other = CompanionCounts(size, *settings.other)
        self._forget()

    def reward(self, batch: Batch) -> Array:
        own, place = self._other.find(batch.next_observation)
        known = (own != UNSEEN) & (place != UNSEEN) & ~batch.terminated
        if batch.present is not None:
            known &= batch.present
        for each in np.unique(own[known & np.isnan(self._bits[own, place])]).tolist():
            self._bits[each] = self._computed(self._other.chances(each))
        return np.where(known, self._bits[own, place], 0.0)

    def rewards(self, rollout: Batch) -> Array:
        return row_by_row(self.reward, rollout)

    def update(self, rollout: Batch) -> None:
        self._other.learn(rollout)
        self._forget()

    def state_dict(self) -> Mapping[str, Array]:
        return {**self._other.state(), "bits": self._bits.copy()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        self._other.load(state)
        self._bits = state["bits"].copy()

    def flops(self, steps: int) -> float:
        """At most: every step meets an own part not met since the last update."""
        ahead = self._settings.steps or len(self._other.places)
        return 2.0 * min(steps, len(self._other)) * ahead * float(len(self._other.places)) ** 2

    def _forget(self) -> None:
        self._bits = np.full((len(self._other), len(self._other.places)), np.nan)

    def _computed(self, chances: Array) -> Array:
        """Bits of every place under one own part."""
        settings = self._settings
        if settings.choice == "immediate":
            return _entropy(chances)
        if settings.choice == "entropic":
            return _entropy(np.linalg.matrix_power(chances, settings.steps))
        near = (chances > 0) | np.eye(len(chances), dtype=bool)
        far = near
        for _ in range((settings.steps or len(near)) - 1):
            far, before = far @ near, far
            if (far == before).all():
                break
        return np.asarray(np.log2(far.sum(axis=1)))


def _entropy(rows: Array) -> Array:
    """Bits of each row, a distribution."""
    logs = np.log2(rows, out=np.zeros_like(rows), where=rows > 0)
    return np.asarray(np.maximum(-(rows * logs).sum(axis=1), 0.0))
