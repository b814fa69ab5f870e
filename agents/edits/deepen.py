"""Inserts a residual layer without changing what the agent does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, View
from agents.genome import Genome, Layer
from agents.models.orthogonal import drawing_flops
from agents.surgery import weights
from agents.surgery.layers import insert_block

DEEPEST = 8  # an editor is not offered to go beyond; a schedule may


@dataclass(frozen=True)
class Deepen(Edit):
    """``x + W2 f(W1 x + b1) + b2`` with ``W2 = b2 = 0``: exact for any activation.

    An identity layer (Net2DeeperNet) would be exact for ReLU only.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset({"residual"})

    after: int = 0
    units: int = 16

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """One behind each layer, with as many hidden units as the stream there is wide."""
        widths = view.genome.architecture.widths()
        if len(widths) >= DEEPEST:
            return ()
        return tuple(cls(after=i, units=width) for i, width in enumerate(widths) if width)

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with one residual layer more."""
        weights.the_layer(genome, self.after)
        block = Layer("residual", weights.a_count(self.units))
        return weights.with_layer(genome, self.after + 1, block)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Insert the block in every tower."""
        self.rewrite(agent_state.genome)
        return insert_block(agent_state, self.after, self.units, rng)

    def claim(self, genome: Genome) -> EditClaim:
        """The layer is there, later ones moved up, and the policy is the same up to rounding."""
        layers = self.rewrite(genome).architecture.layers
        changes = {
            f"architecture.layers.{i}": layers[i].to_json()
            for i in range(self.after + 1, len(layers))
        }
        return EditClaim(changes, max_logit_change=1e-5)

    def cost(self, genome: Genome) -> float:
        """Drawing the inner weights."""
        width = max(genome.architecture.widths()[self.after], 1)
        return len(genome.towers()) * drawing_flops(self.units, width)
