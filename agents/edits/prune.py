"""Deletes the units of a layer with the shortest outgoing weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome
from agents.surgery import weights

OFFERED_LAYERS = 8
OFFERED_SHARE = 8  # an editor is offered to drop one unit in eight


@dataclass(frozen=True)
class Prune(Edit):
    """Each tower loses its ``units`` units with the shortest outgoing weights; at least one stays.

    Not exact, unless those units have zero outgoing weights. Of units with equal norms the newest
    goes first, so that pruning what was just grown restores the agent state before.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 0
    units: int = 1

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """One for each layer: an eighth of its units, at least one."""
        layers = view.genome.architecture.layers[:OFFERED_LAYERS]
        return tuple(
            cls(layer=i, units=max(layer.units // OFFERED_SHARE, 1))
            for i, layer in enumerate(layers)
            if layer.units > 1
            and not weights.growing_problem(view.genome.architecture, i, zero_outgoing=False)
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the narrower layer."""
        layer = weights.the_layer(genome, self.layer)
        problem = weights.growing_problem(genome.architecture, self.layer, zero_outgoing=False)
        if problem:
            raise RefusedEditError(problem)
        if weights.a_count(self.units) >= layer.units:
            raise RefusedEditError(
                f"layer {self.layer} has {layer.units} units: at most {layer.units - 1} can go,"
                f" not {self.units}"
            )
        return weights.with_units(genome, self.layer, layer.units - self.units)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Delete the units in every tower."""
        del rng
        self.rewrite(agent_state.genome)
        dropped = {tower: self.chosen(agent_state, tower) for tower in agent_state.genome.towers()}
        return weights.drop_units(agent_state, self.layer, dropped)

    def chosen(self, agent_state: AgentState, tower: str) -> Array:
        """Indices of the units that go, int ``[units]``, sorted."""
        norms = weights.outgoing_norms(agent_state, self.layer, tower)
        newest_first = -np.arange(len(norms))
        order: Array = np.lexsort((newest_first, norms))
        return np.sort(order[: self.units])

    def claim(self, genome: Genome) -> EditClaim:
        """The layer has ``units`` fewer; what that does to the policy is measured, not claimed."""
        units = self.rewrite(genome).architecture.layers[self.layer].units
        return EditClaim({f"architecture.layers.{self.layer}.units": units})

    def cost(self, genome: Genome) -> float:
        """Squaring and adding every outgoing weight; the head counts as one more reader a unit."""
        readers = 1 + sum(each.units for each in genome.architecture.layers[self.layer + 1 :])
        units = genome.architecture.layers[self.layer].units
        return len(genome.towers()) * 2.0 * units * readers
