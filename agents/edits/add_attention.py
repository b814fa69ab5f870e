"""Lets tokens of a stream attend to each other; closed at first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.edits.deepen import DEEPEST
from agents.genome import Genome, Layer
from agents.surgery import weights
from agents.surgery.layers import insert_layer

TOKENS = 4  # that an editor is offered to cut a hidden stream into


@dataclass(frozen=True)
class AddAttention(Edit):
    """``x + Wo MHA(x)`` with ``Wo = 0``, in front of layer ``before`` (or the head): exact.

    In front of layer 0 the tokens are pieces of the observation, or the last observations where
    ``tokens`` is the agent's history.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset({"attention"})

    before: int = 0
    tokens: int = 2
    heads: int = 2
    units: int = 8  # of each head

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Over the history where there is one, and over four pieces of each hidden stream."""
        architecture = view.genome.architecture
        if len(architecture.layers) >= DEEPEST:
            return ()
        history = architecture.history
        first = [cls(0, history)] if history > 1 and architecture.layers[0].kind == "dense" else []
        widths = architecture.widths()
        rest = [cls(i + 1, TOKENS) for i, w in enumerate(widths) if w and w % TOKENS == 0]
        return (*first, *rest)

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with attention."""
        layers = genome.architecture.layers
        if type(self.before) is not int or not 0 <= self.before <= len(layers):
            raise RefusedEditError(
                f"before is a layer, 0 to {len(layers)}, not {self.before!r}", "before"
            )
        if self.before == 0 and layers and layers[0].kind in {"memory", "residual"}:
            raise RefusedEditError(f"layer 0 is {layers[0].kind}: it must stay the first")
        if type(self.tokens) is not int or self.tokens < 2:  # noqa: PLR2004
            raise RefusedEditError(
                f"tokens is a whole number from 2, not {self.tokens!r}", "tokens"
            )
        width = genome.architecture.widths()[self.before - 1] if self.before else 0
        if width % self.tokens:
            raise RefusedEditError(f"{width} numbers cannot be cut into {self.tokens} tokens")
        heads, units = weights.a_count(self.heads, "heads"), weights.a_count(self.units)
        layer = Layer("attention", units, count=heads, tokens=self.tokens)
        return weights.with_layer(genome, self.before, layer)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Insert it, closed, in every tower."""
        layer = self.rewrite(agent_state.genome).architecture.layers[self.before]
        return insert_layer(agent_state, self.before, layer, rng)

    def claim(self, genome: Genome) -> EditClaim:
        """It is there, and the policy is the same up to rounding."""
        layers: list[Any] = [each.to_json() for each in self.rewrite(genome).architecture.layers]
        return EditClaim({"architecture.layers": layers}, max_logit_change=1e-5)
