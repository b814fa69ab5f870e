"""Finds the rewards of states under which demonstrations are soft-optimal; needs the dynamics."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import Array, Batch
from agents.soft_planning import occupancies, soft_values
from agents.values_contract import Dynamics, Evidence, ValueModel, Valuer, fitting, known, present


@dataclass(frozen=True)
class MceIrl(ValueModel):
    """Maximum causal entropy inverse reinforcement learning (Ziebart 2010), finite horizon.

    Soft value iteration gives the play that a table of rewards makes likely. The gradient of the
    demonstrations' likelihood is how much oftener they visit each state (at the steps that are
    paid, ``discount**t`` each) than this play does; Adam climbs it until no state differs by more
    than ``tolerance`` visits an episode. Episodes start as ``dynamics.start`` says and last
    ``dynamics.horizon`` steps: one that ended earlier must have ended where nothing leads away,
    and stays there. A step is worth what its state, left by it, is; rewards are known up to
    shaping and a constant only.
    """

    unit: ClassVar[str] = "nats"
    learns_from: ClassVar[str] = "demonstrations"
    tabular: ClassVar[bool] = True

    learning_rate: float = 0.1
    iterations: int = 300  # at most, each time there is evidence
    tolerance: float = 1e-3
    discount: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is a finite number above 0, not {self.learning_rate}")
        if self.iterations < 1:
            raise ValueError(f"iterations is at least 1, not {self.iterations}")
        if not 0 <= self.tolerance < math.inf:
            raise ValueError(f"tolerance is finite and at least 0, not {self.tolerance}")
        if not 0 <= self.discount <= 1:
            raise ValueError(f"discount is between 0 and 1, not {self.discount}")

    def start(
        self,
        observation_size: int,
        actions: int,
        rng: np.random.Generator,
        dynamics: Dynamics | None = None,
    ) -> Valuer:
        """Begin with rewards of 0: everything is as likely as anything."""
        del rng
        return _Inverse(self, known(dynamics, observation_size, actions))


class _Inverse(Valuer):
    def __init__(self, settings: MceIrl, dynamics: Dynamics) -> None:
        self._settings, self._dynamics = settings, dynamics
        states = len(dynamics.start)
        self._paid, self._first, self._second = np.zeros((3, states))
        self._visits, self._episodes, self._steps = np.zeros(states), 0, 0
        self._policy = self._play()

    def learn(self, evidence: Evidence) -> None:
        self._count(evidence)
        if not self._episodes:
            return
        wanted = self._visits / self._episodes
        for _ in range(self._settings.iterations):
            there = occupancies(
                self._dynamics.transition, self._dynamics.start, self._policy, self._discount
            )
            missing = wanted - there[:-1].sum(axis=0)
            if np.abs(missing).max() <= self._settings.tolerance:
                break
            self._climb(missing)
            self._policy = self._play()

    def reward(self, batch: Batch) -> Array:
        there = present(batch)
        found = np.zeros(len(there))
        found[there] = self._paid[self._dynamics.states(batch.observation[there])]
        return found

    def predict(self, observation: Array, step: Array) -> Array:
        """By the table of that step, of the last one past the horizon."""
        t = np.minimum(step, self._dynamics.horizon - 1)
        found: Array = self._policy[t, self._dynamics.states(observation)]
        return found

    def state_dict(self) -> Mapping[str, Array]:
        return {
            "paid": self._paid.copy(),
            "first": self._first.copy(),
            "second": self._second.copy(),
            "steps": np.array(self._steps, np.int64),
            "visits": self._visits.copy(),
            "episodes": np.array(self._episodes, np.int64),
        }

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        fitting(state, self.state_dict())
        self._paid, self._visits = state["paid"].copy(), state["visits"].copy()
        self._first, self._second = state["first"].copy(), state["second"].copy()
        self._steps, self._episodes = int(state["steps"]), int(state["episodes"])
        self._policy = self._play()

    def flops(self, steps: int, lessons: int = 0) -> float:
        """At most: a plan and its visits are a product of the transition table a step each."""
        del steps
        passes = self._settings.iterations if lessons else 0
        return 4.0 * passes * self._dynamics.horizon * self._dynamics.transition.size

    @property
    def _discount(self) -> float:
        return self._settings.discount

    def _play(self) -> Array:
        table, horizon = self._dynamics.transition, self._dynamics.horizon
        return soft_values(table, self._paid, horizon, self._discount).policy

    def _climb(self, gradient: Array) -> None:
        """Adam, upwards."""
        self._steps += 1
        self._first = self._first + 0.1 * (gradient - self._first)
        self._second = self._second + 0.001 * (np.square(gradient) - self._second)
        rate = self._settings.learning_rate / (1 - 0.9**self._steps)
        length = np.sqrt(self._second / (1 - 0.999**self._steps)) + 1e-8
        self._paid = self._paid + rate * self._first / length

    def _count(self, evidence: Evidence) -> None:
        """Add the discounted visits of whole episodes."""
        there, horizon = evidence.present, self._dynamics.horizon
        lasted = there.sum(axis=0)
        if lasted.max(initial=0) > horizon:
            raise ValueError(f"an episode of {lasted.max()} steps is longer than {horizon}")
        powers = np.power(self._discount, np.arange(horizon, dtype=np.float64))
        stays = self._ends(evidence, lasted)
        counted = self._visits.copy()
        seen = self._dynamics.states(evidence.lived.observation[there])
        np.add.at(counted, seen, powers[np.nonzero(there)[0]])
        for state, steps in stays:
            counted[state] += powers[steps:].sum()
        self._visits, self._episodes = counted, self._episodes + int(np.count_nonzero(lasted))

    def _ends(self, evidence: Evidence, lasted: Array) -> list[tuple[int, int]]:
        """State and length of each episode that ended early. Raises where it could have gone on."""
        early = np.flatnonzero((lasted > 0) & (lasted < self._dynamics.horizon))
        last = evidence.lived.next_observation[lasted[early] - 1, early]
        states = self._dynamics.states(last) if len(early) else np.zeros(0, np.int64)
        away = 1 - self._dynamics.transition[states, :, states].min(axis=1, initial=1.0)
        if np.any(away > 0):
            column = int(early[np.argmax(away > 0)])
            raise ValueError(f"episode {column} ended before its horizon, where it could go on")
        return list(zip(states.tolist(), lasted[early].tolist(), strict=True))
