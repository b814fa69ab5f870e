"""Lets the agent see its last observations too; the weights of the older ones are 0 at first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.architecture.validity import MAX_HISTORY
from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome
from agents.part_settings import PlacedProblem
from agents.surgery.inputs import history_problem, lengthen, with_history

OFFERED = 8


@dataclass(frozen=True)
class OpenHistory(Edit):
    """``history`` observations at once, newest first; exact: new columns of the weights are 0."""

    part: ClassVar[str] = "architecture"
    adds: ClassVar[frozenset[str] | None] = frozenset()

    history: int = 2

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Twice as many as now."""
        longer = 2 * view.genome.architecture.history
        return () if longer > OFFERED or history_problem(view.genome) else (cls(longer),)

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome that sees more."""
        now, problem = genome.architecture.history, history_problem(genome)
        if type(self.history) is not int or not now < self.history <= MAX_HISTORY:
            problem = PlacedProblem(
                f"history is above {now}, at most {MAX_HISTORY}, not {self.history!r}", "history"
            )
        if problem:
            raise RefusedEditError(problem)
        return with_history(genome, self.history)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Lengthen what every tower reads."""
        del rng
        self.rewrite(agent_state.genome)
        return lengthen(agent_state, self.history)

    def claim(self, genome: Genome) -> EditClaim:
        """More is seen, and the policy is the same up to rounding."""
        self.rewrite(genome)
        return EditClaim({"architecture.history": self.history}, max_logit_change=1e-5)
