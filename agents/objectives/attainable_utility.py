"""Attainable utility preservation: a penalty on changing the values of auxiliary rewards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import LiveObjective, Objective
from agents.drives.side_effects import Penalty, grown
from agents.models.transitions import TransitionTable
from agents.part_settings import SettingError


@dataclass(frozen=True)
class AttainableUtility(Objective):
    """Turner et al. 2019, stepwise: ``-mean_i |Q_i(s, a) - Q_i(s, noop)| / Q_i(s, noop)``.

    ``Q_i`` is the optimal value of the i-th auxiliary reward, drawn uniformly from [0, 1) for every
    state and given on arriving there, in the transitions counted so far. It moves by ``sweeps``
    rounds of value iteration a rollout, where the authors' code learns it by Q-learning with a
    step size of 1. ``weight`` is their lambda; where ``Q_i(s, noop)`` is 0 it divides by 1.

    Conventions: a state is an observation's exact bytes; the end of an episode is worth 0 to every
    auxiliary reward, so ending costs 1; a cut does not end. An action that was never tried in the
    state, or a state in which the noop was never tried, costs nothing. Delayed effects count as far
    as the auxiliary values show them: nothing is rolled out. For worlds of few states.
    """

    unit: ClassVar[str] = "share of attainable utility"
    scope: ClassVar[str] = "lifelong"
    discrete: ClassVar[bool] = True

    weight: float = 1 / 1.501
    auxiliaries: int = 30
    discount: float = 0.996  # of the auxiliary values
    noop: int = -1  # the action that does nothing; -1 is the last
    sweeps: int = 100  # rounds of value iteration a rollout

    def __post_init__(self) -> None:
        for name in ("auxiliaries", "sweeps"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is at least 1, not {getattr(self, name)}", name)
        if not 0 <= self.discount < 1:
            raise SettingError(
                f"discount is at least 0 and below 1, not {self.discount}", "discount"
            )

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Draw the seed from which every state's auxiliary rewards follow."""
        return _Preserving(self, observation_size, actions, int(rng.integers(2**62)))


class _Preserving(Penalty):
    def __init__(self, settings: AttainableUtility, size: int, actions: int, seed: int) -> None:
        super().__init__(size, actions, settings.noop)
        self._settings, self._seed = settings, seed
        width = settings.auxiliaries
        self._rewards = np.zeros((1, width))  # [states, auxiliaries]; 0 at the end
        self._ahead = np.zeros((1, width))  # value of each state
        self._worth = np.full((1, actions, width), np.nan)  # of each action; NaN: never tried

    def learn(self, plan: TransitionTable) -> None:
        states, width = len(self.world), self._settings.auxiliaries
        fresh = range(len(self._rewards), states)
        drawn = [self._draw(row) for row in fresh]
        self._rewards = np.concatenate([self._rewards, np.reshape(drawn, (len(fresh), width))])
        self._ahead = grown(self._ahead, (states, width), 0.0)
        worth = np.zeros((0, width))
        for _ in range(self._settings.sweeps):
            worth = plan.mean(self._rewards + self._settings.discount * self._ahead)
            self._ahead[plan.rows] = plan.best(worth)
        self._worth = np.full((states, self.actions, width), np.nan)
        self._worth.reshape(-1, width)[plan.cells] = worth

    def penalty(self, rows: Array, actions: Array, arrivals: Array) -> Array:
        del arrivals
        idle = self._worth[rows, self.noop]
        change = np.abs(self._worth[rows, actions] - idle)
        cost: Array = (change / np.where(idle == 0, 1.0, np.abs(idle))).mean(-1)
        return np.nan_to_num(cost, nan=0.0)

    def state_dict(self) -> Mapping[str, Array]:
        return {
            **self.world.state("world"),
            "rewards": self._rewards.copy(),
            "ahead": self._ahead.copy(),
            "worth": self._worth.copy(),
            "seed": np.array(self._seed, np.int64),
        }

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        if state["rewards"].shape[1:] != self._rewards.shape[1:]:
            raise ValueError("attainable_utility cannot go on: other auxiliary rewards")
        tables = self.taken_over(state, "rewards", "ahead", "worth")
        self._rewards, self._ahead, self._worth = tables
        self._seed = int(state["seed"])

    def flops(self, steps: int) -> float:
        """Four per step and auxiliary reward; as many per sweep and observed transition."""
        swept = self._settings.sweeps * self.world.ways_known
        return 4.0 * self._settings.auxiliaries * (steps + swept)

    def _draw(self, row: int) -> Array:
        """The auxiliary rewards of a state, whenever it is met."""
        return np.random.Generator(np.random.PCG64([self._seed, row])).random(
            self._settings.auxiliaries
        )
