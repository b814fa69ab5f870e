"""Sets the entropy coefficient: the reward for an undecided policy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.architecture.validity import RULE_RANGES
from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome, TableRule


@dataclass(frozen=True)
class CalmDown(Edit):
    """Everything else stays."""

    part: ClassVar[str] = "learning_rule"

    to: float = 0.001

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """The default, where there is such a coefficient."""
        return () if isinstance(view.genome.learning_rule, TableRule) else (cls(),)

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the other coefficient."""
        rule = genome.learning_rule
        if isinstance(rule, TableRule):
            raise RefusedEditError("a table has no entropy coefficient")
        problem = RULE_RANGES["entropy_coefficient"].problem("entropy_coefficient", self.to)
        if problem:
            raise RefusedEditError(problem)
        return replace(genome, learning_rule=replace(rule, entropy_coefficient=float(self.to)))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Only the genome changes."""
        del rng
        return replace(agent_state, genome=self.rewrite(agent_state.genome))

    def claim(self, genome: Genome) -> EditClaim:
        """The coefficient is the new one, and the policy is the same."""
        self.rewrite(genome)
        return EditClaim(
            {"learning_rule.entropy_coefficient": float(self.to)}, max_logit_change=0.0
        )
