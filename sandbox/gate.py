"""Judges a proposed edit before anything is allocated. Not in the agent's reach."""

from dataclasses import dataclass
from typing import NamedTuple

from agents import compute, validity
from agents.contract import Edit, RefusedEditError
from agents.genome import PARTS, Genome


class Ruling(NamedTuple):
    """The gate's answer; ``genome`` is what the agent would become."""

    allowed: bool
    reason: str  # "" when allowed
    genome: Genome


@dataclass(frozen=True)
class Gate:
    """Validity, budget and protection; ``None`` means no limit."""

    max_parameters: int | None = None
    max_flops: float | None = None  # of the whole trial: learning, objectives and edits
    max_edits: int | None = None  # applied ones, per agent and trial
    protect: tuple[str, ...] = ()  # parts of the genome that no edit may touch

    def judge(
        self, edit: Edit, genome: Genome, sizes: tuple[int, int], flops: float, edits: int
    ) -> Ruling:
        """Judge ``edit`` of ``genome``; ``sizes`` = (observation size, actions)."""
        try:
            after = edit.rewrite(genome)
        except RefusedEditError as refusal:
            return Ruling(False, f"invalid: {refusal}", genome)
        except Exception as error:  # noqa: BLE001  (a plug-in's edit may raise anything)
            return Ruling(False, f"invalid: {type(error).__name__}: {error}", genome)
        reason = (
            _invalid(after)
            or self._touches_protected(edit, genome, after)
            or self._over_budget(
                compute.parameters(after, *sizes), flops + edit.cost(genome), edits
            )
        )
        return Ruling(not reason, reason, genome if reason else after)

    def _touches_protected(self, edit: Edit, before: Genome, after: Genome) -> str:
        changed = [part for part in PARTS if getattr(before, part) != getattr(after, part)]
        for part in dict.fromkeys([edit.part, *changed]):
            if part in self.protect:
                return f"protected: the scenario protects '{part}'"
        undeclared = [part for part in changed if part != edit.part]
        return f"invalid: changes {undeclared[0]} but says {edit.part}" if undeclared else ""

    def _over_budget(self, parameters: int, flops: float, edits: int) -> str:
        if self.max_parameters is not None and parameters > self.max_parameters:
            return f"budget: {parameters:,} parameters > {self.max_parameters:,}"
        if self.max_flops is not None and flops > self.max_flops:
            return f"budget: {flops:.3g} FLOPs > {self.max_flops:.3g}"
        if self.max_edits is not None and edits >= self.max_edits:
            return f"budget: {self.max_edits} edits are used up"
        return ""


def _invalid(genome: Genome) -> str:
    problems = validity.genome_problems(genome)
    return f"invalid: {'; '.join(problems)}" if problems else ""
