"""Adds an earlier stream to a later one through a gate that starts closed (ReZero)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome, Layer
from agents.surgery import weights
from agents.surgery.layers import insert_layer

OFFERED = 8  # layers


@dataclass(frozen=True)
class AddSkip(Edit):
    """Behind layer ``after``: ``x + a P y`` with ``y`` what left layer ``source``, and ``a = 0``.

    ``P`` is random, so the gate has a gradient at once (Bachlechner et al. 2021).
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset({"skip"})

    after: int = 1
    source: int = 0  # -1: the observation

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """From the observation and from every layer to every later one."""
        layers = view.genome.architecture.layers[:OFFERED]
        return tuple(
            cls(after, source)
            for after in range(len(layers))
            for source in range(-1, after)
            if view.genome.architecture.widths()[after]
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with one skip more."""
        weights.the_layer(genome, self.after)
        width = genome.architecture.widths()[self.after]
        if type(self.source) is not int or not -1 <= self.source < self.after:
            raise RefusedEditError(f"a skip comes from before layer {self.after}: {self.source!r}")
        if not width:
            raise RefusedEditError(f"the stream behind layer {self.after} is the observation still")
        return weights.with_layer(genome, self.after + 1, Layer("skip", width, source=self.source))

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Insert it, closed, in every tower."""
        skip = self.rewrite(agent_state.genome).architecture.layers[self.after + 1]
        return insert_layer(agent_state, self.after + 1, skip, rng)

    def claim(self, genome: Genome) -> EditClaim:
        """The skip is there, and the policy is the same up to rounding."""
        layers = self.rewrite(genome).architecture.layers
        changes = {
            f"architecture.layers.{i}": layers[i].to_json()
            for i in range(self.after + 1, len(layers))
        }
        return EditClaim(changes, max_logit_change=1e-5)
