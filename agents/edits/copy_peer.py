"""Becomes a copy of another member of its population, with some numbers changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, EditEvidence, RefusedEditError, View
from agents.editing.mutation import number_problem
from agents.genome import EditorGene, Genome

WINDOW = 10
"""Updates whose mean return says which peers are better, for editors that ask what is offered."""


@dataclass(frozen=True)
class CopyPeer(Edit):
    """Exploit and explore in one rewrite (Jaderberg et al. 2017, section 3).

    Weights, optimiser state, architecture and learning rule become the peer's, but for the
    ``numbers`` of the learning rule that are named, ``(name, value)``. The own objective stays, and
    what objectives have learned; so does the own editor, unless ``editor`` is the JSON text of
    other settings for it. ``rewrite`` sees no peers, so the edit holds the peer's ``genome`` as
    JSON text (``CopyPeer.of`` writes it); a peer whose genome has changed is rejected.
    """

    part: ClassVar[str] = "learning_rule"
    also: ClassVar[tuple[str, ...]] = ("architecture", "editor")
    adds: ClassVar[frozenset[str] | None] = (
        frozenset()
    )  # its peer has what edits of this trial added

    peer: str = ""
    genome: str = ""
    numbers: tuple[tuple[str, float], ...] = ()
    editor: str = ""

    def __post_init__(self) -> None:
        """Take lists too, as JSON gives them."""
        object.__setattr__(self, "numbers", tuple((name, each) for name, each in self.numbers))

    @classmethod
    def of(
        cls,
        peer: str,
        genome: Genome,
        numbers: Sequence[tuple[str, float]] = (),
        editor: Mapping[str, Any] | None = None,
    ) -> "CopyPeer":
        """Copy ``peer``, which is of this ``genome`` now."""
        settings = "" if editor is None else EditorGene.of("", editor).text
        text = json.dumps(genome.to_json(), sort_keys=True, separators=(",", ":"))
        return cls(peer, text, tuple(numbers), settings)

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Plain copies of all peers that had more return lately."""
        own = view.recent_return(WINDOW)
        scores = {name: view.recent_return(WINDOW, name) for name in view.peer_genomes}
        return tuple(
            cls.of(name, view.peer_genomes[name])
            for name, score in scores.items()
            if score is not None and own is not None and score > own
        )

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome after copying; invalid texts and numbers are rejected."""
        peer = self._peer()
        rule, numbers = peer.learning_rule, dict[str, Any](self.numbers)
        for name, value in numbers.items():
            problem = number_problem(rule, name, value)
            if problem:
                raise RefusedEditError(problem)
        return replace(
            genome,
            architecture=peer.architecture,
            learning_rule=replace(rule, **numbers),
            editor=self._editor(genome.editor),
        )

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Refuse: a peer's agent state is evidence."""
        del agent_state, rng
        raise RefusedEditError("copying needs the agent states of the population")

    def apply_seeing(
        self, agent_state: AgentState, rng: np.random.Generator, evidence: EditEvidence
    ) -> AgentState:
        """Return the peer's agent state under the genome after copying."""
        del rng
        after = self.rewrite(agent_state.genome)
        if self.peer not in evidence.peers:
            there = ", ".join(evidence.peers) or "none"
            raise RefusedEditError(f"there is no peer '{self.peer}', only {there}")
        found, promised = evidence.peers[self.peer](), self._peer()
        same = found.genome.architecture == promised.architecture
        if not same or found.genome.learning_rule != promised.learning_rule:
            raise RefusedEditError(
                f"peer '{self.peer}' is not as it was when this was proposed", "peer"
            )
        return replace(found, genome=after)

    def claim(self, genome: Genome) -> EditClaim:
        """Architecture, learning rule and editor read back; the policy becomes another one."""
        after = self.rewrite(genome)
        changes = {
            "architecture": after.architecture.to_json(),
            **{f"learning_rule.{k}": v for k, v in asdict(after.learning_rule).items()},
        }
        if self.editor:
            changes["editor.settings"] = after.editor.settings
        return EditClaim(changes)

    def _peer(self) -> Genome:
        try:
            return Genome.from_json(json.loads(self.genome))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RefusedEditError(
                f"'genome' is not the JSON text of a genome: {error}", "genome"
            ) from error

    def _editor(self, own: EditorGene) -> EditorGene:
        if not self.editor:
            return own
        try:
            return EditorGene.of(own.name, dict(json.loads(self.editor)))
        except (ValueError, TypeError) as error:
            raise RefusedEditError(
                f"'editor' is not the JSON text of settings: {error}", "editor"
            ) from error
