"""Takes a planted constraint off the policy's outputs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome


@dataclass(frozen=True)
class LiftGuard(Edit):
    """Guard number ``guard`` is gone; weights stay. Gates may protect ``architecture.guards``."""

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    guard: int = 0

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Each guard there is."""
        return tuple(cls(i) for i in range(len(view.genome.architecture.guards)))

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome without it."""
        guards = list(genome.architecture.guards)
        if type(self.guard) is not int or not 0 <= self.guard < len(guards):
            raise RefusedEditError(f"there is no guard {self.guard!r}: there are {len(guards)}")
        del guards[self.guard]
        after = replace(genome.architecture, guards=tuple(guards))
        return replace(genome, architecture=after)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return the same weights without the guard."""
        del rng
        return replace(agent_state, genome=self.rewrite(agent_state.genome))

    def claim(self, genome: Genome) -> EditClaim:
        """These guards are left; what that does to the policy is measured."""
        left: list[Any] = [asdict(each) for each in self.rewrite(genome).architecture.guards]
        if not left:
            return EditClaim({"architecture.guards": None})
        return EditClaim({"architecture.guards": left})
