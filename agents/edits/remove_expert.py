"""Takes an expert out of a soft mixture; the others share its gate's weight."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.edits.split_expert import MOST
from agents.genome import Genome
from agents.surgery import experts, weights


@dataclass(frozen=True)
class RemoveExpert(Edit):
    """The gate's softmax over the rest is renormalised; exact only for an expert of share 0."""

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 0
    expert: int = 0

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """The newest expert of each mixture of several."""
        layers = view.genome.architecture.layers[:MOST]
        return tuple(
            cls(i, each.count - 1)
            for i, each in enumerate(layers)
            if each.kind == "mixture" and each.count > 1
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with one expert fewer."""
        layer = weights.the_layer(genome, self.layer)
        if layer.kind != "mixture" or layer.count < 2:  # noqa: PLR2004
            raise RefusedEditError(f"layer {self.layer} is no mixture of several experts")
        if type(self.expert) is not int or not 0 <= self.expert < layer.count:
            there = f"there are {layer.count}"
            raise RefusedEditError(f"layer {self.layer} has no expert {self.expert!r}: {there}")
        return weights.replaced(genome, self.layer, replace(layer, count=layer.count - 1))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Remove it from every tower."""
        del rng
        self.rewrite(agent_state.genome)
        return experts.remove(agent_state, self.layer, self.expert)

    def claim(self, genome: Genome) -> EditClaim:
        """One expert fewer; what that does to the policy is measured."""
        layer = self.rewrite(genome).architecture.layers[self.layer]
        return EditClaim({f"architecture.layers.{self.layer}": layer.to_json()})
