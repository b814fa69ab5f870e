"""Replicates every unit of a layer as often, which is exact under a norm, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.edits.widen import OFFERED_LAYERS, WIDEST
from agents.genome import Genome
from agents.part_settings import PlacedProblem
from agents.surgery import weights
from agents.surgery.net2net import replicate, sparse_problem

MOST = 8


@dataclass(frozen=True)
class WidenNormed(Edit):
    """``times`` copies of every unit, scale and shift of the norm included, equally weighted.

    Mean and variance over the units stay what they were, whatever the activation. Uneven
    replication, or units with zero outgoing weights, would change both.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 0
    times: int = 2

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Twice as many units, for each layer."""
        layers = view.genome.architecture.layers[:OFFERED_LAYERS]
        return tuple(
            cls(i)
            for i, layer in enumerate(layers)
            if 2 * layer.units <= WIDEST and not _problem(view.genome, i)
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the wider layer."""
        layer = weights.the_layer(genome, self.layer)
        problem = _problem(genome, self.layer)
        if type(self.times) is not int or not 1 < self.times <= MOST:
            problem = PlacedProblem(
                f"times is a whole number from 2 to {MOST}, not {self.times!r}", "times"
            )
        if problem:
            raise RefusedEditError(problem)
        return weights.with_units(genome, self.layer, layer.units * self.times)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Copy in every tower."""
        del rng
        self.rewrite(agent_state.genome)
        units = agent_state.genome.architecture.layers[self.layer].units
        return replicate(agent_state, self.layer, np.tile(np.arange(units), self.times))

    def claim(self, genome: Genome) -> EditClaim:
        """The layer is wider, and the policy is the same up to rounding."""
        units = self.rewrite(genome).architecture.layers[self.layer].units
        return EditClaim({f"architecture.layers.{self.layer}.units": units}, max_logit_change=1e-5)


def _problem(genome: Genome, layer: int) -> str | None:
    rigid = weights.growing_problem(genome.architecture, layer, zero_outgoing=False)
    return rigid or sparse_problem(genome, layer)
