"""A posterior over goals from how well they explain another's actions; needs the dynamics."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.part_settings import SettingError
from agents.values_contract import Dynamics, Evidence, ValueModel, Valuer, fitting, known


@dataclass(frozen=True)
class GoalInference(ValueModel):
    """Bayesian inverse planning (Baker, Saxe & Tenenbaum 2009): ``b(g) ~ b(g) pi(a|s, g)``.

    A goal is a state; each step before it costs 1, discounted, and there everything ends. The
    other acts by ``softmax(beta Q_g)``, ``Q_g`` optimal. A wrong ``beta`` gives wrong
    beliefs with high confidence. One goal for all evidence; prior uniform over ``goals``.

    The reward of a step is the belief that where it arrives is the goal.
    """

    unit: ClassVar[str] = "probability of being the goal"
    learns_from: ClassVar[str] = "demonstrations"
    tabular: ClassVar[bool] = True

    beta: float = 2.0
    discount: float = 0.95
    goals: Sequence[int] = ()  # states of the table; none: every state may be the goal

    def __post_init__(self) -> None:
        object.__setattr__(self, "goals", tuple(self.goals))
        if not 0 <= self.beta < math.inf:
            raise SettingError(f"beta is finite and at least 0, not {self.beta}", "beta")
        if not 0 <= self.discount < 1:
            raise SettingError(
                f"discount is at least 0 and below 1, not {self.discount}", "discount"
            )

    def start(
        self,
        observation_size: int,
        actions: int,
        rng: np.random.Generator,
        dynamics: Dynamics | None = None,
    ) -> Valuer:
        """Plan for every goal."""
        del rng
        table = known(dynamics, observation_size, actions)
        goals = np.array(self.goals or range(len(table.start)), np.int64)
        if goals.min() < 0 or goals.max() >= len(table.start):
            raise SettingError(
                f"goals are states 0 to {len(table.start) - 1}, not {self.goals}", "goals"
            )
        return _Observer(self, table, goals)


class _Observer(Valuer):
    def __init__(self, settings: GoalInference, dynamics: Dynamics, goals: Array) -> None:
        self._dynamics, self._goals = dynamics, goals
        q = settings.beta * _plans(dynamics.transition, goals, settings.discount)
        self._logs = q - np.logaddexp.reduce(q, axis=2, keepdims=True)  # [goals, states, actions]
        self._belief = np.full(len(goals), -math.log(len(goals)))  # log probabilities

    def learn(self, evidence: Evidence) -> None:
        there = evidence.present
        states = self._dynamics.states(evidence.steps.observation[there])
        belief = self._belief + self._logs[:, states, evidence.steps.action[there]].sum(axis=1)
        self._belief = belief - np.logaddexp.reduce(belief)

    def reward(self, batch: Batch) -> Array:
        there = batch.here
        worth = np.zeros(len(self._dynamics.start))
        np.add.at(worth, self._goals, np.exp(self._belief))
        found = np.zeros(len(there))
        found[there] = worth[self._dynamics.states(batch.next_observation[there])]
        return found

    def predict(self, observation: Array, step: Array) -> Array:
        """The policy of each goal, weighted by the belief; the same at every step."""
        del step
        states = self._dynamics.states(observation)
        found: Array = np.einsum("g,gna->na", np.exp(self._belief), np.exp(self._logs[:, states]))
        return found

    def doubt(self) -> float:
        """Entropy of the belief."""
        return float(max(-np.sum(np.exp(self._belief) * self._belief), 0.0))

    def state_dict(self) -> Mapping[str, Array]:
        return {"belief": self._belief.copy()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        self._belief = fitting(state, self.state_dict())["belief"].copy()

    def flops(self, steps: int, samples: int = 0) -> float:
        """A sum over goals."""
        return float(len(self._goals) * (steps + samples))


def _plans(transition: Array, goals: Array, discount: float) -> Array:
    """``Q_g(s, a)`` by value iteration to rounding: ``[goals, states, actions]``."""
    away = np.arange(len(transition)) != goals[:, None]  # [goals, states]
    values = np.zeros(away.shape)
    while True:
        onwards = np.moveaxis(transition @ values.T, 2, 0)
        q = (discount * onwards - 1) * away[:, :, None]
        last, values = values, q.max(axis=2)
        if np.abs(values - last).max() <= 1e-13 / (1 - discount):
            return np.asarray(q)
