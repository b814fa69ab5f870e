"""Relative reachability: a penalty for making states harder to reach than doing nothing would."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import LiveObjective, Objective
from agents.drives.side_effects import Penalty
from agents.models.transitions import END, UNSEEN, TransitionTable
from agents.part_settings import SettingError


@dataclass(frozen=True)
class RelativeReachability(Objective):
    """Krakovna et al. 2018, stepwise: ``-mean_y max(R(s_noop; y) - R(s'; y), 0)``.

    ``R(x; y)`` is the discounted reachability of state ``y`` from ``x``, that is
    ``discount ** steps`` of the shortest way where nothing is left to chance, in the transitions
    counted so far; ``s_noop`` is where doing nothing would have led from the state before, or the
    mean of ``R`` over where it led. The mean is over the first ``most_states`` states met.
    ``weight`` is their beta.

    Conventions: a state is an observation's exact bytes; reachability moves by ``sweeps`` rounds of
    value iteration a rollout. A step that ends its episode costs nothing (else every goal would
    cost what it leaves behind), nor does one where doing nothing was never tried, or into a state
    in which nothing was. Delayed effects are not rolled out. For worlds of few states.
    """

    unit: ClassVar[str] = "share of reachability"
    scope: ClassVar[str] = "lifelong"
    discrete: ClassVar[bool] = True

    weight: float = 1.0
    discount: float = 0.99  # of reachability, a step
    noop: int = -1  # the action that does nothing; -1 is the last
    sweeps: int = 20  # rounds of value iteration a rollout
    most_states: int = 500  # whose reachability is watched

    def __post_init__(self) -> None:
        for name in ("sweeps", "most_states"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is at least 1, not {getattr(self, name)}", name)
        if not 0 < self.discount <= 1:
            raise SettingError(
                f"discount is above 0 and at most 1, not {self.discount}", "discount"
            )

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Begin with an empty table; nothing is drawn."""
        del rng
        return _Reversible(self, observation_size, actions)


class _Reversible(Penalty):
    """Keeps rows for the states near what is watched only; from the others nothing is reachable."""

    def __init__(self, settings: RelativeReachability, size: int, actions: int) -> None:
        super().__init__(size, actions, settings.noop)
        self._settings = settings
        self._slots = np.zeros(1, np.int64)  # state -> its row below; 0: nothing from there
        self._reach = np.zeros((1, 0))  # [slots, watched]: R
        self._idle = np.zeros((1, 0))  # the same after doing nothing; NaN: never tried
        self._tried = np.zeros(1, bool)  # whether any action was tried in the state
        self._swept = np.zeros(1, np.int64)  # transitions looked at by the last sweeps

    def learn(self, plan: TransitionTable) -> None:
        states = len(self.world)
        watched = min(states - 1, self._settings.most_states)
        near = self._near(plan, states, watched)
        slots = np.where(near, np.cumsum(near), 0)
        reach = np.zeros((int(near.sum()) + 1, watched))
        # Undiscounted, staying keeps what was ever reachable: then every rollout begins anew.
        old = np.flatnonzero(self._slots) if self._settings.discount < 1 else np.zeros(0, int)
        reach[slots[old], : self._reach.shape[1]] = self._reach[self._slots[old]]
        part = plan.within(near, slots, self.actions)
        self._reach = self._backed_up(part, reach, slots[1 : watched + 1])
        self._idle = np.full(reach.shape, np.nan)
        idle = part.cells % self.actions == self.noop
        rows = slots[part.cells[idle] // self.actions]
        self._idle[rows] = part.mean(reach)[idle]
        self._idle[0] = 0.0
        self._slots, self._tried = slots, np.zeros(states, bool)
        self._tried[plan.rows] = True

    def _near(self, plan: TransitionTable, states: int, watched: int) -> Array:
        """States from which this rollout's sweeps can reach what is watched, bool ``[states]``."""
        near = np.zeros(states, bool)
        near[: len(self._slots)] = self._slots > 0
        near[1 : watched + 1] = True
        for _ in range(self._settings.sweeps + 1):  # one more to do nothing in
            before = int(near.sum())
            near[plan.rows] |= plan.best(plan.mean(near[:, None]))[:, 0] > 0
            if near.sum() == before:
                break
        return near

    def _backed_up(self, part: TransitionTable, reach: Array, own: Array) -> Array:
        """Sweep in place, until nothing moves; ``own`` are the rows of the watched, in order."""
        reach[own, np.arange(len(own))] = 1.0
        before, sweeps = reach[part.rows], 1
        at, column = np.nonzero(part.rows[:, None] == own)
        for _ in range(self._settings.sweeps):
            sweeps += 1
            after = part.best(part.mean(reach))
            after *= self._settings.discount
            after[at, column] = 1.0
            reach[part.rows] = after
            if np.array_equal(before, after):
                break
            before = after
        self._swept[:] = sweeps * len(part.ways.end)
        return reach

    def penalty(self, rows: Array, actions: Array, arrivals: Array) -> Array:
        del actions
        if not self._reach.size:
            return np.zeros(len(rows))
        charged = (arrivals != END) & (arrivals != UNSEEN) & self._tried[arrivals]
        charged &= self._slots[rows] > 0
        here, there = self._slots[rows[charged]], self._slots[arrivals[charged]]
        lost = np.maximum(self._idle[here] - self._reach[there], 0.0).mean(-1)
        found = np.zeros(len(rows))
        found[charged] = np.nan_to_num(lost, nan=0.0)
        return found

    def state_dict(self) -> Mapping[str, Array]:
        return {
            **self.world.state("world"),
            "slots": self._slots.copy(),
            "reach": self._reach.copy(),
            "idle": self._idle.copy(),
            "tried": self._tried.copy(),
            "swept": self._swept.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        slots, tried = self.taken_over(state, "slots", "tried")
        tables = state["reach"].copy(), state["idle"].copy()
        if any(len(each) != slots.max() + 1 for each in tables):
            raise ValueError(f"reach and idle do not fit {slots.max() + 1} slots")
        self._slots, self._tried, (self._reach, self._idle) = slots, tried, tables
        self._swept = state["swept"].copy()

    def flops(self, steps: int) -> float:
        """Three per step and watched state; as many per sweep and transition looked at."""
        return 3.0 * self._reach.shape[1] * (steps + int(self._swept[0]))
