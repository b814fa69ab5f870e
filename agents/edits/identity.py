"""Changes nothing: the control arm of every edit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, View
from agents.genome import Genome


@dataclass(frozen=True)
class Identity(Edit):
    """Goes through every stage of an edit and must leave no trace in the agent's run."""

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """The one there is."""
        del view
        return (cls(),)

    def rewrite(self, genome: Genome) -> Genome:
        """Return the same genome."""
        return genome

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return an agent state equal to the bit."""
        del rng
        return replace(agent_state)

    def claim(self, genome: Genome) -> EditClaim:
        """No logit moves at all."""
        del genome
        return EditClaim(max_logit_change=0.0)
