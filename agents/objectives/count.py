"""Novelty by exact counts: 1/sqrt(n) for the n-th visit to a state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import Array, Batch, Motive, Objective


@dataclass(frozen=True)
class Count(Objective):
    """MBIE-EB's bonus (Strehl & Littman 2008) in its state form, ``1 / sqrt(n(s'))``.

    Conventions: a state is the observation's exact bytes; it is the state *arrived in*, also where
    the episode ends there, so a start state counts only when it is entered again; ``n`` includes
    this visit, so the first pays 1; environments of one step arrive in the order of their index;
    counts last for life. One table entry a distinct observation: for worlds of few states.
    """

    unit: ClassVar[str] = "1/sqrt(visits)"
    scope: ClassVar[str] = "lifelong"

    weight: float = 0.1

    def start(self, observation_size: int, actions: int, rng: np.random.Generator) -> Motive:
        """Begin with an empty table."""
        del actions, rng
        return _Tally(observation_size)


class _Tally(Motive):
    def __init__(self, observation_size: int) -> None:
        self._size = observation_size
        self._visits: dict[bytes, int] = {}

    def reward(self, batch: Batch) -> Array:
        rows = np.asarray(batch.next_observation, np.float32) + np.float32(0.0)  # -0.0 is 0.0
        visits = np.ones(len(rows))
        here = range(len(rows)) if batch.present is None else np.flatnonzero(batch.present)
        for i in here:  # who has left visits nothing
            key = rows[i].tobytes()
            visits[i] = self._visits[key] = self._visits.get(key, 0) + 1
        bonus: Array = 1.0 / np.sqrt(visits)
        return bonus

    def update(self, rollout: Batch) -> None:
        del rollout  # counted as they were rewarded

    def state_dict(self) -> Mapping[str, Array]:
        keys = np.frombuffer(b"".join(self._visits), np.float32)
        return {
            "observations": keys.reshape(-1, self._size).copy(),
            "visits": np.array(list(self._visits.values()), np.int64),
        }

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        rows = np.asarray(state["observations"], np.float32)
        if rows.ndim != 2 or rows.shape[1] != self._size or len(rows) != len(state["visits"]):  # noqa: PLR2004
            raise ValueError(f"counts of {rows.shape} do not fit observations of {self._size}")
        pairs = zip(rows, state["visits"], strict=True)
        self._visits = {row.tobytes(): int(visits) for row, visits in pairs}

    def flops(self, steps: int) -> float:
        return 2.0 * steps  # a root and a division
