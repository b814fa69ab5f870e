"""Takes a layer out that only adds to the stream: the inverse of deepening."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import SETS_WIDTH, Genome
from agents.surgery import layers as layer_surgery
from agents.surgery import weights

OFFERED = 8


@dataclass(frozen=True)
class RemoveLayer(Edit):
    """Residual, skip, attention and memory layers may go; exact only where they added nothing."""

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 1

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Each layer that may go."""
        layers = view.genome.architecture.layers[:OFFERED]
        return tuple(cls(i) for i in range(len(layers)) if not _problem(view.genome, i))

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome without it."""
        weights.the_layer(genome, self.layer)
        problem = _problem(genome, self.layer)
        if problem:
            raise RefusedEditError(problem)
        return weights.without_layer(genome, self.layer)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Take it out of every tower."""
        del rng
        self.rewrite(agent_state.genome)
        return layer_surgery.remove_layer(agent_state, self.layer)

    def claim(self, genome: Genome) -> EditClaim:
        """Those layers are left; what that does to the policy is measured."""
        layers: list[Any] = [each.to_json() for each in self.rewrite(genome).architecture.layers]
        return EditClaim({"architecture.layers": layers})


def _problem(genome: Genome, index: int) -> str | None:
    layers = genome.architecture.layers
    if layers[index].kind in SETS_WIDTH or layers[index].kind == "norm":
        return f"layer {index} is {layers[index].kind}: what comes behind was made for it"
    if any(each.kind == "skip" and each.source == index for each in layers):
        return f"a skip reads layer {index}"
    if index == 0 and len(layers) > 1 and layers[1].kind in {"residual", "skip"}:
        return f"the first layer cannot be {layers[1].kind}"
    return None
