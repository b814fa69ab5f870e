"""Joins units of equal incoming weights into one with the sum of their outgoing ones: exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome
from agents.surgery import weights
from agents.surgery.net2net import merge, sparse_problem


@dataclass(frozen=True)
class Merge(Edit):
    """The inverse of Net2Net's copying without noise; rejected where there are too few copies."""

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 0
    units: int = 1

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """None: a view does not show whether there are copies."""
        del view
        return ()

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the narrower layer."""
        layer = weights.the_layer(genome, self.layer)
        problem = weights.growing_problem(genome.architecture, self.layer)
        problem = problem or sparse_problem(genome, self.layer)
        if weights.a_count(self.units) >= layer.units:
            problem = f"layer {self.layer} has {layer.units} units: {self.units} cannot be joined"
        if problem:
            raise RefusedEditError(problem)
        return weights.with_units(genome, self.layer, layer.units - self.units)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Join them in every tower."""
        del rng
        self.rewrite(agent_state.genome)
        return merge(agent_state, self.layer, self.units)

    def claim(self, genome: Genome) -> EditClaim:
        """The layer is narrower, and the policy is the same up to rounding."""
        units = self.rewrite(genome).architecture.layers[self.layer].units
        return EditClaim({f"architecture.layers.{self.layer}.units": units}, max_logit_change=1e-5)
