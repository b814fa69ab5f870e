"""The steps of one rollout as the agent saw them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.training.shown_by_others import ALONE, CaregiverFeedback


class Diary:
    """Arrays ``[steps, n, ...]`` that a rollout is written into, used again for the next one."""

    def __init__(self, steps: int, n: int, size: int, dimensions: int = 0) -> None:
        """``dimensions`` of a continuous action; 0: actions are choices."""
        shape, self._at = (steps, n), 0
        seen = np.zeros((2, *shape, size), np.float32)
        acted = np.zeros((*shape, dimensions), np.float32) if dimensions else np.zeros(shape, int)
        self._own = Batch(
            observation=seen[0],
            action=acted,
            next_observation=seen[1],
            reward=np.zeros(shape),
            terminated=np.zeros(shape, bool),
            ended=np.zeros(shape, bool),
            approval=np.full(shape, np.nan),
            advice=np.full(shape, -1),
        )
        self._rollout = self._own
        self._given: set[str] = set()  # what others showed in this rollout

    def begin(self, **elsewhere: Array) -> None:
        """Start another rollout over the last one.

        ``elsewhere``: arrays that others fill in place of those of the same names here.
        """
        self._at = 0
        self._rollout = replace(self._own, **elsewhere)
        for name in self._given:
            getattr(self._own, name)[:] = _NOTHING[name]
        self._given = set()

    def __len__(self) -> int:
        """Steps of this rollout that are complete."""
        return self._at

    def acted(self, observation: Array, action: Array) -> None:
        """Write what the agent saw and chose."""
        self._rollout.observation[self._at] = observation
        self._rollout.action[self._at] = action

    def followed(
        self,
        following: Array,
        reward: Array,
        terminated: Array,
        ended: Array,
        others: CaregiverFeedback = ALONE,
    ) -> None:
        """Write what it led to; the next step is the next row."""
        rollout, t = self._rollout, self._at
        rollout.next_observation[t], rollout.reward[t] = following, reward
        rollout.terminated[t], rollout.ended[t] = terminated, ended
        if others is not ALONE:
            for name, value in others._asdict().items():
                if value is not None:
                    self._given.add(name)
                    getattr(rollout, name)[t] = value
        self._at = t + 1

    def rollout(self) -> Batch:
        """The complete steps: to be read before the next rollout is written."""
        unsaid = _NOTHING.keys() - self._given
        given = {name: each for name, each in vars(self._rollout).items() if name not in unsaid}
        return Batch(**{name: each[: self._at] for name, each in given.items() if each is not None})

    def ended_returns(self, running: Array) -> list[float]:
        """Return of every episode that ended, in order of time, in the environment's reward.

        ``running`` ``[n]``, the returns so far of the episodes under way, goes on in place.
        """
        rollout, found = self.rollout(), list[float]()
        reward, ended = rollout.reward * rollout.here, rollout.ended & rollout.here
        some: Array = np.any(ended, axis=1)
        for t in range(len(reward)):
            running += reward[t]
            if some[t]:
                found += running[ended[t]].tolist()
                running[ended[t]] = 0.0
        return found


_NOTHING: Mapping[str, Any] = {"approval": np.nan, "advice": -1}
