"""Cuts the smallest weights of a dense layer: from then on it has a mask and costs less."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.architecture.initial import refit_masks
from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome
from agents.surgery import weights

OFFERED_LAYERS = 8
LEAST = 0.05


@dataclass(frozen=True)
class Sparsify(Edit):
    """``density`` is the share of edges that stays; the same number in every tower. Not exact."""

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 0
    density: float = 0.5

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Half of the edges of each dense layer."""
        layers = view.genome.architecture.layers[:OFFERED_LAYERS]
        return tuple(
            cls(i, layer.density / 2)
            for i, layer in enumerate(layers)
            if layer.kind == "dense" and layer.density / 2 >= LEAST
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the sparser layer."""
        layer = weights.the_layer(genome, self.layer)
        if layer.kind != "dense":
            raise RefusedEditError(
                f"layer {self.layer} is {layer.kind}: only dense ones get sparse"
            )
        if type(self.density) is not float or not 0 < self.density < layer.density:
            raise RefusedEditError(
                f"density is above 0 and below {layer.density:g}, not {self.density!r}", "density"
            )
        return weights.replaced(genome, self.layer, replace(layer, density=self.density))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Cut in every tower; the moments of removed edges become 0."""
        del rng
        cut = refit_masks(replace(agent_state, genome=self.rewrite(agent_state.genome)))
        moments = dict(cut.moments)
        for name, moment in cut.moments.items():
            mask = cut.buffers.get(f"mask/{name}")
            if mask is not None:
                first, second = moment.first * mask, moment.second * mask
                moments[name] = replace(moment, first=first, second=second)
        return replace(cut, moments=moments)

    def claim(self, genome: Genome) -> EditClaim:
        """The share of edges; what cutting does to the policy is measured."""
        density = self.rewrite(genome).architecture.layers[self.layer].density
        return EditClaim({f"architecture.layers.{self.layer}.density": density})
