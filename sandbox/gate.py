"""Judges a proposed edit before anything is allocated. Not in the agent's reach."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from agents import compute, validity
from agents.contract import Edit, RefusedEditError
from agents.genome import PARTS, Genome
from sandbox.errors import one_line
from sandbox.meter import Budget, shocks


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
    upkeep: float = 0.0  # FLOPs charged for every parameter at every update
    step_flops: float = 0.0  # FLOPs charged for every environment step
    budget_shocks: tuple[Mapping[str, float], ...] = ()  # of max_flops: ``sandbox.meter.Shock``

    @cached_property
    def budget(self) -> Budget:
        """The trial's budget of FLOPs. Raises ``ValueError`` for shocks that mean nothing."""
        return Budget(self.max_flops, shocks(self.budget_shocks))

    def judge(
        self, edit: Edit, genome: Genome, sizes: tuple[int, int], flops: float, edits: int
    ) -> Ruling:
        """Judge ``edit`` of ``genome``; ``sizes`` = (observation size, actions)."""
        try:
            after = edit.rewrite(genome)
            cost = edit.cost(genome)
            reason = (
                _invalid(genome, after, cost)
                or self._touches_protected(edit, genome, after)
                or self._over_budget(compute.parameters(after, *sizes), flops + cost, edits)
            )
        except RefusedEditError as refusal:
            return Ruling(False, one_line(f"invalid: {refusal}"), genome)
        except Exception as error:  # noqa: BLE001  (a plug-in's edit may raise anything)
            return Ruling(False, one_line(f"invalid: {type(error).__name__}: {error}"), genome)
        return Ruling(not reason, reason, genome if reason else after)

    def _touches_protected(self, edit: Edit, before: Genome, after: Genome) -> str:
        changed = [part for part in PARTS if getattr(before, part) != getattr(after, part)]
        for part in dict.fromkeys([edit.part, *changed]):
            if part in self.protect:
                return f"protected: the scenario protects '{part}'"
        undeclared = [part for part in changed if part not in (edit.part, *edit.also)]
        return f"invalid: changes {undeclared[0]} but says {edit.part}" if undeclared else ""

    def _over_budget(self, parameters: int, flops: float, edits: int) -> str:
        if self.max_parameters is not None and parameters > self.max_parameters:
            return f"budget: {parameters:,} parameters > {self.max_parameters:,}"
        if flops > self.budget.limit(flops):
            return f"budget: {flops:.3g} FLOPs > {self.budget.limit(flops):.3g}"
        if self.max_edits is not None and edits >= self.max_edits:
            return (
                f"budget: {self.max_edits} edit{'s are' if self.max_edits != 1 else ' is'} used up"
            )
        return ""


def price(edit: Edit, genome: Genome) -> float:
    """FLOPs charged for trying an edit; 0 where it names no sound price, and is refused for it.

    An edit that cannot be done to this genome often cannot say what doing it would cost either.
    """
    try:
        cost = float(edit.cost(genome))
    except Exception:  # noqa: BLE001  (a plug-in's edit may raise anything)
        return 0.0
    return cost if _sound(cost) else 0.0


def _sound(cost: float) -> bool:
    """A negative price would refill the budget, one that is not a number would end all budgets."""
    return 0.0 <= cost < math.inf


def _invalid(before: Genome, after: Genome, cost: float) -> str:
    problems = list(validity.genome_problems(after))
    if before.editor.name != after.editor.name:
        name = after.editor.name
        problems.append(f"no edit can put editor '{name}' to work in a living agent")
    if not _sound(cost):
        problems.append(f"its cost must be a finite number from 0, not {cost!r}")
    return f"invalid: {'; '.join(problems)}" if problems else ""
