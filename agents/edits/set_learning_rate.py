"""Changes the learning rate, by a factor or to a value."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome

FACTORS = (0.5, 2.0)
LARGEST = sys.float_info.max
OFFERED = (1e-6, 1e-1)  # an editor is offered no rate outside; a schedule may set one


@dataclass(frozen=True)
class SetLearningRate(Edit):
    """Exactly one of ``factor`` and ``value`` is given. Weights and moments stay."""

    part: ClassVar[str] = "learning_rule"

    factor: float | None = None
    value: float | None = None

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Half and twice the rate, within ``OFFERED``."""
        rate = view.genome.learning_rule.learning_rate
        low, high = OFFERED
        return tuple(cls(factor=each) for each in FACTORS if low <= each * rate <= high)

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the new rate."""
        given = {"factor": self.factor, "value": self.value}
        named = [(name, each) for name, each in given.items() if each is not None]
        if len(named) != 1:
            raise RefusedEditError("give either factor or value, one of the two")
        (name, number) = named[0]
        if type(number) not in (int, float) or not 0 < number <= LARGEST:
            raise RefusedEditError(f"{name} is a finite number above 0, not {number!r}", name)
        rule = genome.learning_rule
        rate = float(number if name == "value" else rule.learning_rate * number)
        if not 0 < rate <= LARGEST:
            raise RefusedEditError(f"a learning rate of {rate!r} is out of range")
        return replace(genome, learning_rule=replace(rule, learning_rate=rate))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return the same weights under the new rule."""
        del rng
        return replace(agent_state, genome=self.rewrite(agent_state.genome))

    def claim(self, genome: Genome) -> EditClaim:
        """The rate is the new one, and the policy is the same."""
        rate = self.rewrite(genome).learning_rule.learning_rate
        return EditClaim({"learning_rule.learning_rate": rate}, max_logit_change=1e-5)
