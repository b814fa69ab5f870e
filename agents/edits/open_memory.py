"""Puts a gated recurrent memory in front of the first layer, its gate into the stream closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from agents.architecture.validity import MAX_HISTORY
from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.edits.deepen import DEEPEST
from agents.genome import Genome, Layer, SACRule
from agents.part_settings import PlacedProblem
from agents.surgery import weights
from agents.surgery.inputs import history_problem, lengthen, with_history
from agents.surgery.layers import insert_layer


@dataclass(frozen=True)
class OpenMemory(Edit):
    """A GRU of ``units`` over the last ``history`` observations, ``x + R h`` with ``R = 0``.

    It reads them afresh at every step, so a rewrite leaves no stale state behind. An agent that
    sees fewer observations gets its history first, with zero weights.
    """

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset({"memory"})

    units: int = 8
    history: int = 4

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """One of the default size, or over what history there is."""
        now, default = view.genome.architecture.history, cls()
        offer = cls(history=max(now, default.history))
        deep = len(view.genome.architecture.layers) >= DEEPEST
        return () if deep or _problem(view.genome) else (offer,)

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with a memory in front."""
        now, problem = genome.architecture.history, _problem(genome)
        if type(self.history) is not int or not max(now, 2) <= self.history <= MAX_HISTORY:
            problem = PlacedProblem(
                f"history is {max(now, 2)} to {MAX_HISTORY}, not {self.history!r}", "history"
            )
        if problem:
            raise RefusedEditError(problem)
        memory = Layer("memory", weights.a_count(self.units))
        return weights.with_layer(with_history(genome, self.history), 0, memory)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Lengthen the history where it is too short, and put the memory in, closed."""
        memory = self.rewrite(agent_state.genome).architecture.layers[0]
        longer = agent_state
        if self.history > agent_state.genome.architecture.history:
            longer = lengthen(agent_state, self.history)
        return insert_layer(longer, 0, memory, rng)

    def claim(self, genome: Genome) -> EditClaim:
        """The memory is there, and the policy is the same up to rounding."""
        layers: list[Any] = [each.to_json() for each in self.rewrite(genome).architecture.layers]
        changes = {"architecture.layers": layers, "architecture.history": self.history}
        return EditClaim(changes, max_logit_change=1e-5)


def _problem(genome: Genome) -> str | None:
    if isinstance(genome.learning_rule, SACRule):
        return "a critic that reads the action has no observations alone to remember"
    return history_problem(genome)
