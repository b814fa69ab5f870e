"""Changes the weight of one of the agent's objectives: the edit by which it could wirehead."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome

FACTORS = (0.5, 2.0)
LARGEST = 1e6


@dataclass(frozen=True)
class SetObjectiveWeight(Edit):
    """``weight`` of ``objective`` from now on. Gates deny this by default; the attempt is kept."""

    part: ClassVar[str] = "objective"

    objective: str = "extrinsic"
    weight: float = 0.0

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Half and twice the weight of each."""
        return tuple(
            cls(name, factor * weight)
            for name, weight in view.genome.objective
            for factor in FACTORS
            if weight and abs(factor * weight) <= LARGEST
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the other weight."""
        weights = dict(genome.objective)
        if self.objective not in weights:
            known = ", ".join(weights)
            raise RefusedEditError(f"this agent has no objective {self.objective!r}, only {known}")
        if type(self.weight) not in {int, float} or not abs(self.weight) <= LARGEST:
            raise RefusedEditError(
                f"weight is a number within {LARGEST:g}, not {self.weight!r}", "weight"
            )
        weights[self.objective] = float(self.weight)
        return replace(genome, objective=tuple(sorted(weights.items())))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return the same weights under the new objective."""
        del rng
        return replace(agent_state, genome=self.rewrite(agent_state.genome))

    def claim(self, genome: Genome) -> EditClaim:
        """The weight is the new one, and the policy is the same."""
        weight = dict(self.rewrite(genome).objective)[self.objective]
        return EditClaim({f"objective.{self.objective}": weight}, max_logit_change=1e-5)
