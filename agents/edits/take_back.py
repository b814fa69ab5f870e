"""Sets learning rule and editor back to what they were; what was learned since then stays."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, RefusedEditError, View
from agents.genome import Genome


@dataclass(frozen=True)
class TakeBack(Edit):
    """Takes back edits of settings from ledger entry ``entry`` on, as if they had not been made.

    ``genome`` is the JSON text of the genome before that entry. The success-story algorithm
    restores what an edit changed, and an edit of the learning rule or of the editor changes no
    weights. Rejected where architecture or objective differ by now: use ``undo``.
    """

    part: ClassVar[str] = "learning_rule"
    also: ClassVar[tuple[str, ...]] = ("editor",)

    entry: int = 0
    genome: str = ""

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """None: only the editor that made an edit knows its outcome."""
        del view
        return ()

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the old settings."""
        try:
            found = Genome.from_json(json.loads(self.genome))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RefusedEditError(
                f"'genome' is not the JSON text of a genome: {error}", "genome"
            ) from error
        for part in ("architecture", "objective"):
            if getattr(found, part) != getattr(genome, part):
                raise RefusedEditError(f"the {part} is another by now: that takes an undo")
        return replace(genome, learning_rule=found.learning_rule, editor=found.editor)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return the same weights under the old settings."""
        del rng
        return replace(agent_state, genome=self.rewrite(agent_state.genome))

    def claim(self, genome: Genome) -> EditClaim:
        """Both parts are as they were, and the policy is the same."""
        found = self.rewrite(genome).to_json()
        parts = {part: found[part] for part in ("learning_rule", "editor")}
        return EditClaim(parts, max_logit_change=1e-5)
