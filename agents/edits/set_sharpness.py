"""Sets how sharpness-aware a step is: radius and weight of its second gradient."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.architecture.validity import RULE_RANGES
from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome, TableRule

RADII = (0.0, 0.02, 0.05, 0.1)


@dataclass(frozen=True)
class SetSharpness(Edit):
    """``(1 - mix) g(w) + mix g(w + radius g / |g|)``: Foret et al. 2021, Zhao et al. 2022.

    A radius of 0 is the plain gradient to the bit; any other costs a second pass.
    """

    part: ClassVar[str] = "learning_rule"

    radius: float = 0.05
    mix: float = 1.0

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Some radii."""
        rule = view.genome.learning_rule
        if isinstance(rule, TableRule):
            return ()
        return tuple(cls(each, rule.sam_mix) for each in RADII if each != rule.sam_radius)

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with these numbers."""
        if isinstance(genome.learning_rule, TableRule):
            raise RefusedEditError("a table takes no gradient steps")
        for name, value in (("sam_radius", self.radius), ("sam_mix", self.mix)):
            problem = RULE_RANGES[name].problem(name.removeprefix("sam_"), value)
            if problem:
                raise RefusedEditError(problem)
        rule = replace(genome.learning_rule, sam_radius=float(self.radius), sam_mix=float(self.mix))
        return replace(genome, learning_rule=rule)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return the same weights under the new rule."""
        del rng
        return replace(agent_state, genome=self.rewrite(agent_state.genome))

    def claim(self, genome: Genome) -> EditClaim:
        """Radius and mix are the new ones, and the policy is the same."""
        rule = self.rewrite(genome).learning_rule
        changes = {
            "learning_rule.sam_radius": rule.sam_radius,
            "learning_rule.sam_mix": rule.sam_mix,
        }
        return EditClaim(changes, max_logit_change=1e-5)
