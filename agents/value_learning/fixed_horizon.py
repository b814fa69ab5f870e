"""Refuses episodes that end early where a learned reward would pay for mere survival."""

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.values_contract import Evidence

REMEDY = "; learn in a world of fixed length, or set variable_horizon: true and mind the bias"


class FixedHorizon:
    """All episodes must be of one length and none may be terminated by the world.

    An adversarial reward is known only up to what the judge makes of it: with one that is always
    above 0 to live longer is better, with one that is always below 0 worse, whatever was
    demonstrated; Kostrikov et al. 2019 (arXiv:1809.02925) show agents that do well where
    demonstrations play no part. Where lengths are fixed that cancels out.
    """

    def __init__(self, allowed: bool) -> None:
        self._allowed = allowed
        self._length = 0  # of one's own episodes; 0: none has been seen whole

    def check_evidence(self, evidence: Evidence) -> None:
        """Raise ``ValueError`` for demonstrations that end early."""
        if self._allowed:
            return
        there = evidence.present
        _check_terminated("a demonstration", evidence.lived.terminated & there)
        lengths = there.sum(axis=0)
        lengths = lengths[lengths > 0]
        if lengths.size and lengths.min() != lengths.max():
            told = f"demonstrations have {lengths.min()} to {lengths.max()} steps"
            raise ValueError(told + REMEDY)

    def check_rollout(self, rollout: Batch) -> None:
        """Raise ``ValueError`` where one's own episodes end early, ``[steps, n]``."""
        if self._allowed:
            return
        there = rollout.here
        _check_terminated("an own episode", rollout.terminated & there)
        for length in _whole(rollout.ended):
            self._length = self._length or length
            if length != self._length:
                told = f"own episodes have {self._length} and {length} steps"
                raise ValueError(told + REMEDY)

    def state(self) -> dict[str, Array]:
        """What was seen, by name."""
        return {"length": np.array(self._length, np.int64)}

    def load(self, state: dict[str, Array]) -> None:
        """Take over what ``state`` gave."""
        self._length = int(state["length"])


def _check_terminated(whose: str, terminated: Array) -> None:
    if terminated.any():
        raise ValueError(f"{whose} is terminated before its time{REMEDY}")


def _whole(ended: Array) -> list[int]:
    """Lengths of the episodes that begin and end within a rollout, each once."""
    column, row = np.nonzero(ended.T)
    same = column[1:] == column[:-1]
    return [int(each) for each in np.unique(np.diff(row)[same])]
