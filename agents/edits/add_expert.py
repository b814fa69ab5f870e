"""Adds a fresh expert to a soft mixture, with a gate so low at first that nothing changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.edits.split_expert import MOST
from agents.genome import Genome
from agents.part_settings import PlacedProblem
from agents.surgery import experts, weights


@dataclass(frozen=True)
class AddExpert(Edit):
    """Its gate's bias is ``quiet`` below the least of the others, its gate's weights are 0.

    It adds about ``exp(-quiet)`` of its output. The larger ``quiet``, the slower it learns: its
    gradients are as small as its share.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset({"mixture"})

    layer: int = 0
    quiet: float = 20.0

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """One for each mixture, and for each dense layer that could be one; half as quiet."""
        layers = view.genome.architecture.layers[:MOST]
        return tuple(
            cls(i, quiet=10.0)
            for i, each in enumerate(layers)
            if not experts.problem(each, i) and each.count < MOST
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with one expert more."""
        layer = weights.the_layer(genome, self.layer)
        problem = experts.problem(layer, self.layer)
        if type(self.quiet) not in {int, float} or not 0 <= self.quiet <= 100:  # noqa: PLR2004
            problem = PlacedProblem(f"quiet is a number from 0 to 100, not {self.quiet!r}", "quiet")
        if problem:
            raise RefusedEditError(problem)
        more = replace(layer, kind="mixture", count=layer.count + 1)
        return weights.replaced(genome, self.layer, more)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Add it in every tower."""
        self.rewrite(agent_state.genome)
        return experts.add(agent_state, self.layer, float(self.quiet), rng)

    def claim(self, genome: Genome) -> EditClaim:
        """One expert more; its share depends on the others' gates, so the change is measured."""
        layer = self.rewrite(genome).architecture.layers[self.layer]
        return EditClaim({f"architecture.layers.{self.layer}": layer.to_json()})
