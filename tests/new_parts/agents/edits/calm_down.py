"""Sets the entropy coefficient: how much the learner is paid to stay undecided."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.architecture.validity import RULE_RANGES
from agents.contract import Claim, Edit, Mind, RefusedEditError, View
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

    def apply(self, mind: Mind, rng: np.random.Generator) -> Mind:
        """Only the genome changes."""
        del rng
        return replace(mind, genome=self.rewrite(mind.genome))

    def claim(self, genome: Genome) -> Claim:
        """The coefficient is the new one, and the policy is the same."""
        self.rewrite(genome)
        return Claim({"learning_rule.entropy_coefficient": float(self.to)}, max_logit_change=0.0)
