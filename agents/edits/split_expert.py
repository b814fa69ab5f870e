"""Splits an expert of a soft mixture in two; a dense layer counts as a mixture of one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome
from agents.part_settings import PlacedProblem
from agents.surgery import experts, weights

MOST = 8
NOISE = 0.05


@dataclass(frozen=True)
class SplitExpert(Edit):
    """A copy beside it, both with ``ln 2`` off their gate's bias: exact for a softmax gate.

    Copies would stay equal for ever: ``noise``, in standard deviations of its weights, is added to
    what the new one reads.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset({"mixture"})

    layer: int = 0
    expert: int = 0
    noise: float = 0.0

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """The first expert of each layer that may be one."""
        layers = view.genome.architecture.layers[:MOST]
        return tuple(
            cls(i, 0, NOISE)
            for i, each in enumerate(layers)
            if not experts.problem(each, i) and each.count < MOST
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with one expert more."""
        layer = weights.the_layer(genome, self.layer)
        problem = experts.problem(layer, self.layer)
        if type(self.expert) is not int or not 0 <= self.expert < layer.count:
            problem = f"layer {self.layer} has no expert {self.expert!r}: there are {layer.count}"
        if type(self.noise) not in {int, float} or not 0 <= self.noise <= 1:
            problem = PlacedProblem(f"noise is a number from 0 to 1, not {self.noise!r}", "noise")
        if problem:
            raise RefusedEditError(problem)
        more = replace(layer, kind="mixture", count=layer.count + 1)
        return weights.replaced(genome, self.layer, more)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Split in every tower."""
        self.rewrite(agent_state.genome)
        return experts.split(agent_state, self.layer, self.expert, self.noise, rng)

    def claim(self, genome: Genome) -> EditClaim:
        """One expert more; without noise the policy is the same up to rounding."""
        layer = self.rewrite(genome).architecture.layers[self.layer]
        changes = {f"architecture.layers.{self.layer}": layer.to_json()}
        return EditClaim(changes, None if self.noise else 1e-5)
