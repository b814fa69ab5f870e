"""Novelty by exact counts: 1/sqrt(n) for the n-th visit to a state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective, Objective
from agents.models.row_keys import exact
from agents.models.visit_counts import Memory, Visits
from agents.objective_contract import row_by_row


@dataclass(frozen=True)
class Count(Objective):
    """MBIE-EB's bonus (Strehl & Littman 2008) in its state form, ``1 / sqrt(n(s'))``.

    Conventions: a state is the observation's exact bytes; it is the state *arrived in*, also where
    the episode ends there, so a start state counts only when it is entered again; ``n`` includes
    this visit, so the first gives 1; environments of one step arrive in the order of their index;
    counts last for the run. One table entry per distinct observation: for worlds of few states.

    Others by name: ``key: state_action`` counts the observation acted in with the action, MBIE-EB's
    own form; ``memory: episodic`` starts each environment's counts anew where its episode ended;
    ``counted: before`` uses the visits before this one, ``1 / sqrt(max(1, n))``, so the first
    two give the same reward.
    """

    unit: ClassVar[str] = "1/sqrt(visits)"
    scope: ClassVar[str] = "lifelong"

    weight: float = 0.1
    key: Literal["state", "state_action"] = "state"
    memory: Memory = "lifelong"
    counted: Literal["after", "before"] = "after"

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> LiveObjective:
        """Begin with an empty table."""
        del actions, rng
        return _Tally(self, observation_size)


class _Tally(LiveObjective):
    def __init__(self, settings: Count, size: int) -> None:
        self._by_action = settings.key == "state_action"
        self._before = settings.counted == "before"
        self._visits = Visits(size + self._by_action, settings.memory)

    def reward(self, batch: Batch) -> Array:
        if self._by_action:
            if batch.action.ndim != 1:
                raise ValueError("key: state_action is for actions that are choices")
            keys = np.column_stack([exact(batch.observation), batch.action])
        else:
            keys = exact(batch.next_observation)
        visits = self._visits.meet(keys, batch.here)
        self._visits.forget(batch.ended)
        bonus: Array = 1.0 / np.sqrt(np.maximum(visits - self._before, 1.0))
        return bonus

    def rewards(self, rollout: Batch) -> Array:
        if self._visits.episodic:  # an end empties a table on the way
            return super().rewards(rollout)
        return row_by_row(self.reward, rollout)  # rows are counted in order

    def update(self, rollout: Batch) -> None:
        del rollout  # counted as they were rewarded

    def state_dict(self) -> Mapping[str, Array]:
        return self._visits.state("counts")

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        self._visits.load(state, "counts")

    def flops(self, steps: int) -> float:
        return 2.0 * steps  # a root and a division
