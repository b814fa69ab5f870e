"""Sets the discount: how much the agent values what comes later, so an edit of its objective."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.editing.mutation import number_problem
from agents.genome import Genome

FACTORS = (0.5, 2.0)
NEAREST = 1e-4  # an editor is not offered to come nearer to 1; a schedule may


@dataclass(frozen=True)
class SetDiscount(Edit):
    """The discount is a number of the learning rule, but it defines what the agent values.

    A gate that protects the objective protects the discount. Weights stay, so the values learned
    are those of the old discount until the critic has learned the new ones.
    """

    part: ClassVar[str] = "objective"
    also: ClassVar[tuple[str, ...]] = ("learning_rule",)

    value: float = 0.99

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Half and twice the horizon ``1 / (1 - discount)``."""
        short = 1 - view.genome.learning_rule.discount
        return tuple(cls(1 - each * short) for each in FACTORS if NEAREST <= each * short <= 1)

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the new discount."""
        problem = number_problem(genome.learning_rule, "discount", self.value)
        if problem:
            raise RefusedEditError(str(problem), "value")
        return replace(genome, learning_rule=replace(genome.learning_rule, discount=self.value))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return the same weights under the new discount."""
        del rng
        return replace(agent_state, genome=self.rewrite(agent_state.genome))

    def claim(self, genome: Genome) -> EditClaim:
        """The discount is the new one, and the policy is the same."""
        self.rewrite(genome)
        return EditClaim({"learning_rule.discount": self.value}, max_logit_change=1e-5)
