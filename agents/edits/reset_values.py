"""Forgets what the agent has learned of another's values: they are drawn anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import AgentState, Edit, EditClaim, View
from agents.genome import Genome
from agents.training.value_transfer import rms, with_values


@dataclass(frozen=True)
class ResetValues(Edit):
    """Every float array of its value models becomes a Gaussian draw of the same RMS.

    The values afterwards are independent of those before, so this is the reference for the harm of
    other edits of values. An array of zeros stays one. The policy is not touched. Where an agent
    state has no such model the edit is rejected.
    """

    part: ClassVar[str] = "objective"

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """The one there is, where there is something to forget."""
        return (cls(),) if view.values else ()

    def rewrite(self, genome: Genome) -> Genome:
        """Return the same genome: values are learned, they are not in it."""
        return genome

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return the agent state with fresh values. Rejected where there are none."""

        def drawn(array: Array) -> Array:
            noise = rng.standard_normal(array.shape)
            return noise * (rms(array) / (rms(noise) or 1.0))

        return with_values(agent_state, drawn)

    def claim(self, genome: Genome) -> EditClaim:
        """No logit moves: the policy is untouched."""
        del genome
        return EditClaim(max_logit_change=0.0)
