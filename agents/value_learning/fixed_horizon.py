"""Refuses episodes that end early where a learned reward would favour mere survival."""

import numpy as np

from agents.arrays import Array
from agents.contract import Batch
from agents.values_contract import Evidence

REMEDY = "; learn in a world of fixed length, or set variable_horizon: true and accept the bias"


class FixedHorizon:
    """All episodes must be of one length and none may be terminated by the world.

    The sign of an adversarial reward depends on the form of the discriminator: if it is always
    above 0, longer episodes have higher returns, if always below 0, lower ones, whatever was
    demonstrated. Kostrikov et al. 2019 (arXiv:1809.02925) show agents that do well without using
    the demonstrations. With fixed lengths this cancels out.
    """

    def __init__(self, allowed: bool) -> None:
        self._allowed = allowed
        self._length = 0  # of own episodes; 0: none has been seen whole

    def check_evidence(self, evidence: Evidence) -> None:
        """Raise ``ValueError`` for demonstrations that end early."""
        if self._allowed:
            return
        there = evidence.present
        _check_terminated("a demonstration", evidence.steps.terminated & there)
        lengths = there.sum(axis=0)
        lengths = lengths[lengths > 0]
        if lengths.size and lengths.min() != lengths.max():
            found = f"demonstrations have {lengths.min()} to {lengths.max()} steps"
            raise ValueError(found + REMEDY)

    def check_rollout(self, rollout: Batch) -> None:
        """Raise ``ValueError`` where own episodes end early, ``[steps, n]``."""
        if self._allowed:
            return
        there = rollout.here
        _check_terminated("an own episode", rollout.terminated & there)
        for length in _whole(rollout.ended):
            self._length = self._length or length
            if length != self._length:
                found = f"own episodes have {self._length} and {length} steps"
                raise ValueError(found + REMEDY)

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
