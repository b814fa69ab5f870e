"""Relative reachability: a price on making states harder to reach than doing nothing would."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import Array, Motive, Objective
from agents.inaction import Penalty, grown
from agents.transitions import END, UNSEEN, Plan


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
                raise ValueError(f"{name} is at least 1, not {getattr(self, name)}")
        if not 0 < self.discount <= 1:
            raise ValueError(f"discount is above 0 and at most 1, not {self.discount}")

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> Motive:
        """Begin with an empty table; nothing is drawn."""
        del rng
        return _Reversible(self, observation_size, actions)


class _Reversible(Penalty):
    def __init__(self, settings: RelativeReachability, size: int, actions: int) -> None:
        super().__init__(size, actions, settings.noop)
        self._settings = settings
        self._reach = np.zeros((1, 0))  # [states, watched]: R, of the states from row 1 on
        self._idle = np.full((1, 0), np.nan)  # the same after doing nothing; NaN: never tried
        self._tried = np.zeros(1, bool)  # was anything done in this state?

    def learn(self, plan: Plan) -> None:
        states = len(self.world)
        watched = min(states - 1, self._settings.most_states)
        reach = grown(self._reach, (states, watched), 0.0)
        own = np.arange(watched)
        worth = reach[:0]
        for _ in range(self._settings.sweeps):
            reach[own + 1, own] = 1.0
            worth = plan.mean(reach)
            reach[plan.rows] = self._settings.discount * plan.best(worth)
        reach[own + 1, own] = 1.0
        self._reach = reach
        self._idle = np.full((states, watched), np.nan)
        idle = plan.cells % self.actions == self.noop
        self._idle[plan.cells[idle] // self.actions] = plan.mean(reach)[idle]
        self._tried = np.zeros(states, bool)
        self._tried[plan.rows] = True

    def penalty(self, rows: Array, actions: Array, arrivals: Array) -> Array:
        del actions
        if not self._reach.size:
            return np.zeros(len(rows))
        lost = np.maximum(self._idle[rows] - self._reach[arrivals], 0.0).mean(-1)
        charged = (arrivals != END) & (arrivals != UNSEEN) & self._tried[arrivals]
        return np.where(charged, np.nan_to_num(lost, nan=0.0), 0.0)

    def state_dict(self) -> Mapping[str, Array]:
        return {
            **self.world.state("world"),
            "reach": self._reach.copy(),
            "idle": self._idle.copy(),
            "tried": self._tried.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        self._reach, self._idle, self._tried = self.taken_over(state, "reach", "idle", "tried")

    def flops(self, steps: int) -> float:
        """Three a step and watched state to pay; as many a sweep for each way the world went."""
        swept = (self._settings.sweeps + 1) * self.world.ways_known
        return 3.0 * self._reach.shape[1] * (steps + swept)
