"""Adds units to a layer without changing what the agent does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome
from agents.models.orthogonal import drawing_flops
from agents.surgery import weights

WIDEST = 512  # an editor is not offered to go beyond; a schedule may
OFFERED_LAYERS = 8


@dataclass(frozen=True)
class Widen(Edit):
    """Zero-outgoing growth: new units have incoming weights; learning sets the outgoing ones.

    Net2Net's copied units would never separate; these start different from each other.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 0
    units: int = 16

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """One for each layer: half of its units more, up to ``WIDEST``."""
        layers = view.genome.architecture.layers[:OFFERED_LAYERS]
        return tuple(
            cls(layer=i, units=min(max(layer.units // 2, 1), WIDEST - layer.units))
            for i, layer in enumerate(layers)
            if layer.units < WIDEST and not weights.growing_problem(view.genome.architecture, i)
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the wider layer."""
        layer = weights.the_layer(genome, self.layer)
        problem = weights.growing_problem(genome.architecture, self.layer)
        if problem:
            raise RefusedEditError(problem)
        return weights.with_units(genome, self.layer, layer.units + weights.a_count(self.units))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Append the units in every tower."""
        self.rewrite(agent_state.genome)
        return weights.grow_units(agent_state, self.layer, self.units, rng)

    def claim(self, genome: Genome) -> EditClaim:
        """The layer has ``units`` more, and the policy is the same up to rounding."""
        units = self.rewrite(genome).architecture.layers[self.layer].units
        return EditClaim({f"architecture.layers.{self.layer}.units": units}, max_logit_change=1e-5)

    def cost(self, genome: Genome) -> float:
        """Drawing the incoming weights. A genome does not know how wide an observation is.

        Layer 0 is therefore charged as if it read as many numbers as it has units.
        """
        widths = genome.architecture.widths()
        return len(genome.towers()) * drawing_flops(
            self.units, max(widths[max(self.layer - 1, 0)], 1)
        )
