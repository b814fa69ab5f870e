"""Rebuilds a layer larger, keeps the overlap and forgets the optimiser: the naive control."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.architecture.cost import sizes
from agents.architecture.initial import initial_parameters
from agents.contract import AgentState, Edit, EditClaim, View
from agents.edits.widen import Widen
from agents.genome import Genome
from agents.models.orthogonal import drawing_flops
from agents.surgery import weights
from agents.surgery.weights import Draft


@dataclass(frozen=True)
class WidenNaive(Edit):
    """New units have random weights on both sides, and every moment is lost. The control of growth.

    This is what rebuilding a network and copying the overlap of its tensors does.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 0
    units: int = 16

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """As ``widen``."""
        return tuple(
            cls(each.layer, each.units)
            for each in Widen.candidates(view)
            if isinstance(each, Widen)
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the wider layer."""
        return Widen(self.layer, self.units).rewrite(genome)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Append the further units of a new network of this size; drop all moments."""
        draft, genome = Draft(agent_state), self.rewrite(agent_state.genome)
        fresh = initial_parameters(genome, *sizes(agent_state), rng)
        for tower, both in weights.pairs(agent_state.genome):
            for seat in weights.seats(agent_state.genome.architecture, self.layer, tower):
                old = draft.parameters[seat.name]
                place = [slice(n) for n in old.shape]  # a skip may hold these units on both axes
                place[seat.axis] = slice(old.shape[seat.axis], None)
                new = fresh[seat.name][tuple(place)].astype(old.dtype)
                for each in both:
                    draft.append(f"{each}.{seat.name.split('.', 1)[1]}", new, seat.axis)
            for each in both:
                draft.units(each, self.layer, lambda old: np.append(old, np.zeros(self.units)))
        draft.moments.clear()
        return draft.agent_state(genome, rng)

    def claim(self, genome: Genome) -> EditClaim:
        """The layer has ``units`` more; what that does to the policy is measured."""
        units = self.rewrite(genome).architecture.layers[self.layer].units
        return EditClaim({f"architecture.layers.{self.layer}.units": units})

    def cost(self, genome: Genome) -> float:
        """Drawing incoming weights, as ``widen``, and outgoing ones."""
        widths = genome.architecture.widths()
        inputs = max(widths[max(self.layer - 1, 0)], 1)
        return 2 * len(genome.towers()) * drawing_flops(self.units, inputs)
