"""Learns the actions that another advises in the states the agent itself visits (DAgger)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.models.reservoir import Reservoir, prefixed, under
from agents.value_learning.cloning import Clone, CloningSettings, at_least_one
from agents.values_contract import Dynamics, Evidence, ValueModel, Valuer, fitting


@dataclass(frozen=True)
class Dagger(CloningSettings, ValueModel):
    """Ross, Gordon & Bagnell 2011, algorithm 3.1: clone the other on all states met so far.

    Where evidence has an ``advice`` column, the other's action in a step is the advice,
    whichever agent acted; steps without advice (-1) are not learned from. Evidence without the
    column is the other's own play, as in the first round. A clone of demonstrations alone errs in
    states it drifts to; advice is given there. All of it is kept, up to ``capacity`` steps, then a
    uniform sample of it. The trial decides which agent acts in which round (their ``beta_i``).
    The loss and the reward of a step are those of ``behaviour_cloning``.
    """

    unit: ClassVar[str] = "nats"
    learns_from: ClassVar[str] = "demonstrations"

    capacity: int = 4096  # steps

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least_one(self, "capacity")

    def start(
        self,
        observation_size: int,
        actions: int,
        rng: np.random.Generator,
        dynamics: Dynamics | None = None,
    ) -> Valuer:
        """Draw the network; nothing is kept yet."""
        del dynamics
        clone = Clone(self, observation_size, actions, rng)
        blank: dict[str, Array] = {
            "seen": np.zeros(observation_size, np.float32),
            "done": np.zeros((), np.int64),
        }
        return _Apprentice(clone, Reservoir(blank, self.capacity, rng))


class _Apprentice(Valuer):
    def __init__(self, clone: Clone, kept: Reservoir) -> None:
        self._clone, self._kept = clone, kept

    def learn(self, evidence: Evidence) -> None:
        steps, there = evidence.steps, evidence.present
        done = steps.action if steps.advice is None else steps.advice
        there = there & (done >= 0)
        if not there.any():
            return
        self._kept.add({"seen": steps.observation[there], "done": done[there]})
        held = self._kept.held()
        self._clone.fit(held["seen"], held["done"])

    def reward(self, batch: Batch) -> Array:
        found = self._clone.log_chance(batch.observation, batch.action)
        return np.where(batch.here, found, 0.0)

    def predict(self, observation: Array, step: Array) -> Array:
        """The same at every step: the clone does not know the time."""
        del step
        return self._clone.chances(observation)

    def state_dict(self) -> Mapping[str, Array]:
        return {**self._clone.state(), **prefixed("kept", self._kept.state())}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        fitting(state, self.state_dict())
        self._clone.load(state)
        self._kept.load(under("kept", state))

    def flops(self, steps: int, samples: int = 0) -> float:
        """A sample goes over all that is kept, too."""
        return self._clone.flops(steps, samples + len(self._kept) * bool(samples))
