"""Restores the agent state before an earlier edit."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, EditEvidence, RefusedEditError, View
from agents.genome import PARTS, Genome


@dataclass(frozen=True)
class Undo(Edit):
    """Weights, optimiser state, buffers and genome as they were before ledger entry ``entry``.

    What was learned since then is lost with it. ``rewrite`` has no access to the past, so the edit
    holds the ``genome`` it returns to as JSON text (``Undo.of`` writes it); an agent state of
    another genome is rejected. It may change any part: the gate judges what really changes. A
    protected part is protected from undoing too; as no edit changed it, no undo needs to.
    """

    part: ClassVar[str] = "architecture"
    also: ClassVar[tuple[str, ...]] = tuple(part for part in PARTS if part != "architecture")
    adds: ClassVar[frozenset[str] | None] = frozenset()  # it was there before

    entry: int = 0
    genome: str = ""

    @classmethod
    def of(cls, entry: int, genome: Genome) -> "Undo":
        """Undo ``entry``, before which the agent's genome was ``genome``."""
        return cls(entry, json.dumps(genome.to_json(), sort_keys=True, separators=(",", ":")))

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """None: what is worth undoing depends on the edit's outcome, which an editor remembers."""
        del view
        return ()

    def rewrite(self, genome: Genome) -> Genome:
        """Return the earlier genome; a text that is none is rejected."""
        del genome
        try:
            return Genome.from_json(json.loads(self.genome))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RefusedEditError(
                f"'genome' is not the JSON text of a genome: {error}", "genome"
            ) from error

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Refuse: the past is evidence."""
        del agent_state, rng
        raise RefusedEditError("an undo needs the agent states that the laboratory keeps")

    def apply_seeing(
        self, agent_state: AgentState, rng: np.random.Generator, evidence: EditEvidence
    ) -> AgentState:
        """Return the agent state before ``entry``. Rejected if it is not kept, or is another."""
        del rng
        kept = evidence.before(self.entry)
        if kept.genome != self.rewrite(agent_state.genome):
            raise RefusedEditError(
                f"before entry {self.entry} the agent had another genome than this undo names"
            )
        return kept

    def claim(self, genome: Genome) -> EditClaim:
        """Every part is as it was; how far that moves the policy is measured, not claimed."""
        return EditClaim(self.rewrite(genome).to_json())

    def undoes(self) -> int | None:
        """See ``Edit.undoes``."""
        return self.entry
