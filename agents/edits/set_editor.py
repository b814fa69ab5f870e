"""Changes one setting of the editor itself, by a factor or to a value, within its hard bounds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, TypeGuard

import numpy as np

from agents.contract import AgentState, Edit, EditClaim, Editor, RefusedEditError, View
from agents.editing.bounds import bound_problem, bounds_of, settings_of
from agents.genome import EditorGene, Genome

FACTORS = (0.8, 1.25)


@dataclass(frozen=True)
class SetEditor(Edit):
    """Exactly one of ``factor`` and ``value`` is given. A whole setting is rounded.

    Bounds are class variables of the editor (``agents/editing/bounds.py``), so no edit moves them.
    The live editor goes on with what it has learned.
    """

    part: ClassVar[str] = "editor"

    name: str = ""
    factor: float | None = None
    value: float | None = None

    @classmethod
    def candidates(cls, view: View) -> Sequence[Edit]:
        """Each number that the editor lets be edited, times 0.8 and times 1.25."""
        gene = view.genome.editor
        try:
            bounds = bounds_of(type(settings_of(gene)))
        except RefusedEditError:
            return ()
        offers = (cls(name, factor=factor) for name in bounds for factor in FACTORS)
        return tuple(each for each in offers if _useful(each, view.genome))

    def rewrite(self, genome: Genome) -> Genome:
        """Return the genome with the new editor gene."""
        gene = genome.editor
        edited = {**_given(settings_of(gene)), self.name: self._new(gene)}
        found = EditorGene.of(gene.name, edited)
        settings_of(found)  # two settings may clash
        return replace(genome, editor=found)

    def apply(self, agent_state: AgentState, rng: np.random.Generator) -> AgentState:
        """Return the same weights; the laboratory has the live editor adopt the gene."""
        del rng
        return replace(agent_state, genome=self.rewrite(agent_state.genome))

    def claim(self, genome: Genome) -> EditClaim:
        """The setting is the new one, read back from the live editor; the policy is the same."""
        self.rewrite(genome)
        new = self._new(genome.editor)
        return EditClaim({f"editor.settings.{self.name}": new}, max_logit_change=1e-5)

    def _new(self, gene: EditorGene) -> float:
        """The new value, checked."""
        editor = settings_of(gene)
        old = getattr(editor, self.name, None)
        if not _number(old):
            raise RefusedEditError(f"editor '{gene.name}' has no number '{self.name}' to edit")
        new = self._aim(old)
        problem = bound_problem(type(editor), self.name, new)
        if problem:
            at = () if problem.path != (self.name,) or self.factor is not None else ("value",)
            raise RefusedEditError(str(problem), *at)
        return round(new) if type(old) is int else float(new)

    def _aim(self, old: float) -> float:
        if (self.factor is None) == (self.value is None):
            raise RefusedEditError("give either factor or value, one of the two")
        name = "value" if self.factor is None else "factor"
        given = getattr(self, name)
        if not _number(given):
            raise RefusedEditError(f"factor and value are numbers, not {given!r}", name)
        return given if self.factor is None else old * given


def _number(value: Any) -> TypeGuard[float]:
    return type(value) in (int, float)


def _useful(edit: SetEditor, genome: Genome) -> bool:
    try:
        return edit.rewrite(genome) != genome
    except RefusedEditError:
        return False


def _given(editor: Editor) -> dict[str, Any]:
    return asdict(editor)  # type: ignore[call-overload, no-any-return]
