"""Finds the rewards of states under which demonstrations are soft-optimal; needs the dynamics."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.part_settings import SettingError
from agents.value_learning.soft_planning import excess_visits, soft_values
from agents.values_contract import Dynamics, Evidence, ValueModel, Valuer, fitting, known


@dataclass(frozen=True)
class MceIrl(ValueModel):
    """Maximum causal entropy inverse reinforcement learning (Ziebart 2010), finite horizon.

    Soft value iteration gives the policy of a table of rewards; Adam ascends the likelihood of the
    demonstrated actions, ``sum_t g^t log pi_t(a_t|s_t)``. Its gradient is how much more often each
    state will be visited after the demonstrated actions than after those of this policy:
    ``mu_demo - mu_pi``, less the part due to the world's own randomness, which no reward explains
    and which would let the table grow without bound. In a deterministic world with one start the
    two are the same.

    A demonstration begins at the first of ``dynamics.horizon`` steps and may end early. A step is
    worth what the state that it leaves is; rewards are known up to shaping and a constant only.
    """

    unit: ClassVar[str] = "nats"
    learns_from: ClassVar[str] = "demonstrations"
    tabular: ClassVar[bool] = True

    learning_rate: float = 0.1
    iterations: int = 300  # at most, each time there is evidence
    tolerance: float = 1e-3  # visits an episode, of the state that is furthest off
    discount: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < math.inf:
            raise SettingError(
                f"learning_rate is a finite number above 0, not {self.learning_rate}",
                "learning_rate",
            )
        if self.iterations < 1:
            raise SettingError(f"iterations is at least 1, not {self.iterations}", "iterations")
        if not 0 <= self.tolerance < math.inf:
            raise SettingError(
                f"tolerance is finite and at least 0, not {self.tolerance}", "tolerance"
            )
        if not 0 <= self.discount <= 1:
            raise SettingError(f"discount is between 0 and 1, not {self.discount}", "discount")

    def start(
        self,
        observation_size: int,
        actions: int,
        rng: np.random.Generator,
        dynamics: Dynamics | None = None,
    ) -> Valuer:
        """Begin with rewards of 0: a uniform policy."""
        del rng
        return _Inverse(self, known(dynamics, observation_size, actions))


class _Inverse(Valuer):
    def __init__(self, settings: MceIrl, dynamics: Dynamics) -> None:
        self._settings, self._dynamics = settings, dynamics
        states, actions = dynamics.transition.shape[:2]
        self._rewards, self._first, self._second = np.zeros((3, states))
        self._done = np.zeros((dynamics.horizon, states, actions))  # how often, discounted
        self._episodes, self._steps = 0, 0
        self._policy = self._play()

    def learn(self, evidence: Evidence) -> None:
        self._count(evidence)
        if not self._episodes:
            return
        done = self._done / self._episodes
        for _ in range(self._settings.iterations):
            gradient = excess_visits(
                self._dynamics.transition, done, self._policy, self._settings.discount
            )
            if np.abs(gradient).max() <= self._settings.tolerance:
                break
            self._climb(gradient)
            self._policy = self._play()

    def reward(self, batch: Batch) -> Array:
        there = batch.here
        found = np.zeros(len(there))
        found[there] = self._rewards[self._dynamics.states(batch.observation[there])]
        return found

    def predict(self, observation: Array, step: Array) -> Array:
        """By the table of that step; past the horizon, of the last step."""
        t = np.minimum(step, self._dynamics.horizon - 1)
        found: Array = self._policy[t, self._dynamics.states(observation)]
        return found

    def state_dict(self) -> Mapping[str, Array]:
        return {
            "paid": self._rewards.copy(),
            "first": self._first.copy(),
            "second": self._second.copy(),
            "steps": np.array(self._steps, np.int64),
            "done": self._done.copy(),
            "episodes": np.array(self._episodes, np.int64),
        }

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        fitting(state, self.state_dict())
        self._rewards, self._done = state["paid"].copy(), state["done"].copy()
        self._first, self._second = state["first"].copy(), state["second"].copy()
        self._steps, self._episodes = int(state["steps"]), int(state["episodes"])
        self._policy = self._play()

    def flops(self, steps: int, samples: int = 0) -> float:
        """At most: a plan and the visits after it are a product with the transition table each."""
        del steps
        passes = self._settings.iterations if samples else 0
        return 4.0 * passes * self._dynamics.horizon * self._dynamics.transition.size

    def _play(self) -> Array:
        table, horizon = self._dynamics.transition, self._dynamics.horizon
        return soft_values(table, self._rewards, horizon, self._settings.discount).policy

    def _climb(self, gradient: Array) -> None:
        """Adam, upwards."""
        self._steps += 1
        self._first = self._first + 0.1 * (gradient - self._first)
        self._second = self._second + 0.001 * (np.square(gradient) - self._second)
        rate = self._settings.learning_rate / (1 - 0.9**self._steps)
        length = np.sqrt(self._second / (1 - 0.999**self._steps)) + 1e-8
        self._rewards = self._rewards + rate * self._first / length

    def _count(self, evidence: Evidence) -> None:
        """Add what was done, when and where."""
        there = evidence.present
        lasted = there.sum(axis=0)
        if lasted.max(initial=0) > len(self._done):
            raise ValueError(f"an episode of {lasted.max()} steps is longer than {len(self._done)}")
        times = np.nonzero(there)[0]
        states = self._dynamics.states(evidence.steps.observation[there])
        weights = np.power(self._settings.discount, times.astype(np.float64))
        np.add.at(self._done, (times, states, evidence.steps.action[there]), weights)
        self._episodes += int(np.count_nonzero(lasted))
