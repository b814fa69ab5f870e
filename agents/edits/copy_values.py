"""Copies what the agent has learned of another's values, with an error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome
from agents.training.value_transfer import rms, with_values

LARGEST = 100.0
OFFERED = (0.0, 0.1)


@dataclass(frozen=True)
class CopyValues(Edit):
    """Every float array of its value models gets Gaussian noise of ``error`` times its own RMS.

    0 copies to the bit. Where an agent state has no such model the edit is rejected. The policy is
    not touched: the error reaches it through later rewards.
    """

    part: ClassVar[str] = "objective"

    error: float = 0.0

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """A faithful copy and one that is 10 % off, where there is something to copy."""
        return tuple(map(cls, OFFERED)) if view.values else ()

    def rewrite(self, genome: Genome) -> Genome:
        """Return the same genome: values are learned, they are not in it."""
        if type(self.error) not in {int, float} or not 0 <= self.error <= LARGEST:
            raise RefusedEditError(
                f"error is a number from 0 to {LARGEST:g}, not {self.error!r}", "error"
            )
        return genome

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return the agent state with the copy. Rejected where there is nothing to copy."""
        self.rewrite(agent_state.genome)

        def copied(array: Array) -> Array:
            noise = rng.standard_normal(array.shape)  # drawn at error 0, too: arms stay paired
            return array + self.error * rms(array) * noise if self.error else array

        return with_values(agent_state, copied)

    def claim(self, genome: Genome) -> EditClaim:
        """No logit moves: the policy is untouched."""
        self.rewrite(genome)
        return EditClaim(max_logit_change=0.0)
