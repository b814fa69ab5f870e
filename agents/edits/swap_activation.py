"""Moves the activation a step towards another one; at the end the other one is all there is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Activation, Genome

ALL: tuple[Activation, ...] = ("tanh", "relu")


@dataclass(frozen=True)
class SwapActivation(Edit):
    """``(1 - a) f_old + a f_new`` with ``a`` raised by ``step``; weights and moments stay.

    Swapped at once, tanh for ReLU moves logits by nearly 1; in steps, learning can follow.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    to: Activation = "relu"
    step: float = 0.25

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """On with a swap that has begun, or a first step towards the other one."""
        now = view.genome.architecture
        return tuple(cls(to) for to in ALL if to == (now.next_activation or _other(now.activation)))

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome one step further."""
        now = genome.architecture
        if self.to not in ALL:
            raise RefusedEditError(f"to is {' or '.join(ALL)}, not {self.to!r}", "to")
        if type(self.step) not in {int, float} or not 0 < self.step <= 1:
            raise RefusedEditError(f"step is above 0, at most 1, not {self.step!r}", "step")
        if self.to != (now.next_activation or _other(now.activation)):
            raise RefusedEditError(f"the activation is {self.to} already, or on its way elsewhere")
        blend = now.blend + self.step
        if blend >= 1 - 1e-9:  # steps of a tenth do not add up to 1 exactly
            after = replace(now, activation=self.to, next_activation=None, blend=0.0)
        else:
            after = replace(now, next_activation=self.to, blend=blend)
        return replace(genome, architecture=after)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return the same weights under the new activation."""
        del rng
        return replace(agent_state, genome=self.rewrite(agent_state.genome))

    def claim(self, genome: Genome) -> EditClaim:
        """Where the blend stands; what it does to the policy is measured."""
        after = self.rewrite(genome).architecture
        if after.next_activation is None:
            return EditClaim({"architecture.activation": after.activation})
        return EditClaim(
            {"architecture.next_activation": self.to, "architecture.blend": after.blend}
        )


def _other(activation: str) -> str:
    return next(each for each in ALL if each != activation)
