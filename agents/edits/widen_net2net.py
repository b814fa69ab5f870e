"""Adds copies of random units of a layer (Net2WiderNet); without noise they stay equal."""

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

NOISE = 0.05  # what an editor is offered: it lets the copies diverge and costs a KL of about 4e-5


@dataclass(frozen=True)
class WidenNet2net(Edit):
    """Exact for any activation with ``noise`` 0 (Chen, Goodfellow & Shlens 2016).

    Then all copies have equal gradients for ever, so the layer is wider and no richer. ``noise``,
    in standard deviations of the weights, is added to what the copies read.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    layer: int = 0
    units: int = 16
    noise: float = 0.0

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """One for each layer: half of its units more, with a little noise."""
        layers = view.genome.architecture.layers[:OFFERED_LAYERS]
        return tuple(
            cls(i, min(max(layer.units // 2, 1), WIDEST - layer.units), NOISE)
            for i, layer in enumerate(layers)
            if layer.units < WIDEST and not _problem(view.genome, i)
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the wider layer."""
        layer = weights.the_layer(genome, self.layer)
        problem = _problem(genome, self.layer)
        if type(self.noise) not in {int, float} or not 0 <= self.noise <= 1:
            problem = PlacedProblem(f"noise is a number from 0 to 1, not {self.noise!r}", "noise")
        if problem:
            raise RefusedEditError(problem)
        return weights.with_units(genome, self.layer, layer.units + weights.a_count(self.units))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Copy in every tower, in a target as in its online tower."""
        self.rewrite(agent_state.genome)
        old = agent_state.genome.architecture.layers[self.layer].units
        origin = np.concatenate([np.arange(old), rng.integers(old, size=self.units)])
        return replicate(agent_state, self.layer, origin, self.noise, rng)

    def claim(self, genome: Genome) -> EditClaim:
        """The layer has ``units`` more; without noise the policy is the same up to rounding."""
        units = self.rewrite(genome).architecture.layers[self.layer].units
        changes = {f"architecture.layers.{self.layer}.units": units}
        return EditClaim(changes, None if self.noise else 1e-5)


def _problem(genome: Genome, layer: int) -> str | None:
    uneven = weights.growing_problem(genome.architecture, layer)
    return uneven or sparse_problem(genome, layer)
