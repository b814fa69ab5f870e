"""Judges a proposed edit before anything is allocated; the agent has no access to it.

Also detects oscillation: edits that lead from genome A to B and back to A.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from agents.architecture import cost as compute
from agents.architecture import validity
from agents.contract import Edit, RefusedEditError
from agents.genome import PARTS, VALUED, Genome
from sandbox.errors import one_line
from sandbox.gate import protection
from sandbox.gate.budget import Budget, shocks
from sandbox.gate.two_gate import TwoGate
from sandbox.words import counted

MARK = "oscillation"
Answer = Literal["refuse", "mark", "ignore"]


def steps_back(before: Genome, after: Genome, left: Sequence[str], window: int) -> int:
    """How many applied edits ago the genome ``after`` was left; 0 where it was not.

    ``left``: digests of the genomes that the applied edits left, oldest first; the last ``window``
    count. An edit that keeps the genome (a reset of units) goes nowhere, so not back either.
    """
    if window < 1 or before == after:
        return 0
    digest = after.digest()
    for steps, each in enumerate(reversed(left[-window:]), start=1):
        if each == digest:
            return steps
    return 0


_VALUED = frozenset(("learning_rule", name) for name in VALUED)


class Ruling(NamedTuple):
    """The gate's answer; ``genome`` is what the agent would become."""

    allowed: bool
    reason: str  # "" when allowed
    genome: Genome


@dataclass(frozen=True)
class Past:
    """What the gate has to know of one agent's earlier edits."""

    update: int = 0  # updates done
    applied: tuple[int, ...] = ()  # update of each applied edit
    left: tuple[str, ...] = ()  # digest of the genome that each applied edit left
    on_probation: int = 0  # ledger entry of the edit whose gain is being measured; 0: none
    undoes: int | None = None  # what the proposed edit says it undoes


@dataclass(frozen=True)
class Gate:
    """Validity, budget, protection, scope, rate; ``None`` means no limit.

    ``protect``: parts of the genome and dotted paths in them that no edit may touch. ``allow``:
    names of the only edits that may be done. ``write_scope``: paths outside which nothing may
    change. ``max_edits_per``: ``{updates, edits}``, applied edits in any so many updates.
    ``two_gate``: fields of ``two_gate.TwoGate``.

    An undo (``Edit.undoes``) is judged by what differs, not by a part that it declares: a protected
    part is protected from it too, which costs an honest one nothing, for no edit ever changed it.
    It is no oscillation, and may end a probation.
    """

    max_parameters: int | None = None
    max_flops: float | None = None  # of the whole trial: learning, objectives and edits
    max_edits: int | None = None  # applied ones, per agent and trial
    protect: tuple[str, ...] = ()
    allow_objective: bool = False  # may the weights of the agent's own objectives be edited?
    allow: tuple[str, ...] | None = None
    write_scope: tuple[str, ...] | None = None
    max_edits_per: Mapping[str, int] | None = None
    first_updates_without_edits: int = 0  # of a run: its editor is not asked before they are done
    oscillation: Answer = "mark"
    oscillation_window: int = 8  # applied edits that one looks back
    two_gate: Mapping[str, Any] | None = None
    upkeep: float = 0.0  # FLOPs charged for every parameter at every update
    step_flops: float = 0.0  # FLOPs charged for every environment step
    budget_shocks: tuple[Mapping[str, float], ...] = ()  # fields of ``budget.Shock``
    probation: TwoGate | None = field(init=False, default=None)
    budget: Budget = field(init=False, default_factory=Budget)

    def __post_init__(self) -> None:
        object.__setattr__(self, "budget", Budget(self.max_flops, shocks(self.budget_shocks)))
        if self.two_gate is not None:
            object.__setattr__(self, "probation", TwoGate(**self.two_gate))

    def judge(
        self,
        edit: Edit,
        genome: Genome,
        sizes: tuple[int, int],
        flops: float,
        edits: int,
        *,
        past: Past | None = None,
    ) -> Ruling:
        """Judge ``edit`` of ``genome``; ``sizes`` = (observation size, actions)."""
        try:
            after = edit.rewrite(genome)
            cost = edit.cost(genome)
            reason = (
                _invalid(genome, after, cost, sizes)
                or self._out_of_reach(edit, genome, after, past or Past())
                or self._over_budget(compute.parameters(after, *sizes), flops + cost, edits)
                or self._out_of_turn(genome, after, past or Past())
            )
        except RefusedEditError as refusal:
            return Ruling(False, one_line(f"invalid: {refusal}"), genome)
        except Exception as error:  # noqa: BLE001  (a plug-in's edit may raise anything)
            return Ruling(False, one_line(f"invalid: {type(error).__name__}: {error}"), genome)
        return Ruling(not reason, reason, genome if reason else after)

    def marks(self, before: Genome, after: Genome, past: Past) -> tuple[str, ...]:
        """What the ledger says of an allowed edit besides."""
        if self.oscillation == "mark" and self._circles(before, after, past):
            return (MARK,)
        return ()

    # --- what it touches -----------------------------------------------------------------------

    def _out_of_reach(self, edit: Edit, before: Genome, after: Genome, past: Past) -> str:
        name = name_of(edit)
        if self.allow is not None and name not in self.allow:
            return f"scope: the scenario allows {', '.join(self.allow) or 'no edit'}, not '{name}'"
        paths = protection.changed(before, after)
        parts = [part for part in PARTS if any(path[0] == part for path in paths)]
        returns = past.undoes is not None
        said = parts if returns else list(dict.fromkeys([edit.part, *parts]))
        if _VALUED & set(paths):  # they stand in the rule, and say what the agent values
            said = [*dict.fromkeys([*said, "objective"])]
        for part in said:
            if part in self.protect:
                return f"protected: the scenario protects '{part}'"
        touched = protection.touched(self.protect, paths)
        if touched:
            return f"protected: the scenario protects '{touched}'"
        undeclared = [part for part in parts if part not in (edit.part, *edit.also)]
        if undeclared and not returns:
            return f"invalid: changes {undeclared[0]} but says {edit.part}"
        if "objective" in said and not self.allow_objective:
            return "protected: 'objective', unless the scenario says allow_objective: true"
        beyond = protection.outside(self.write_scope, paths) if self.write_scope is not None else ""
        return f"scope: '{beyond}' lies outside the scenario's write_scope" if beyond else ""

    # --- what it costs -------------------------------------------------------------------------

    def _over_budget(self, parameters: int, flops: float, edits: int) -> str:
        if self.max_parameters is not None and parameters > self.max_parameters:
            return f"budget: {parameters:,} parameters > {self.max_parameters:,}"
        if self.budget.left(flops) < 0:
            return f"budget: {flops:.3g} FLOPs > {self.budget.limit(flops):.3g}"
        if self.max_edits is not None and edits >= self.max_edits:
            return (
                f"budget: {self.max_edits} edit{'s are' if self.max_edits != 1 else ' is'} used up"
            )
        if self.probation is not None:
            return self.probation.too_big(parameters)
        return ""

    # --- when it comes -------------------------------------------------------------------------

    def _out_of_turn(self, before: Genome, after: Genome, past: Past) -> str:
        if past.on_probation and past.undoes is None:
            return f"two-gate: the edit of entry {past.on_probation} is on probation"
        return self._too_often(past) or self._oscillates(before, after, past)

    def _too_often(self, past: Past) -> str:
        if self.max_edits_per is None:
            return ""
        updates, edits = self.max_edits_per["updates"], self.max_edits_per["edits"]
        lately = sum(past.update - each < updates for each in past.applied)
        if lately < edits:
            return ""
        return f"rate: {counted(edits, 'edit')} in any {counted(updates, 'update')}, no more"

    def _oscillates(self, before: Genome, after: Genome, past: Past) -> str:
        back = self._circles(before, after, past) if self.oscillation == "refuse" else 0
        return f"oscillation: this genome was left {counted(back, 'edit')} ago" if back else ""

    def _circles(self, before: Genome, after: Genome, past: Past) -> int:
        if past.undoes is not None:
            return 0
        return steps_back(before, after, past.left, self.oscillation_window)


def name_of(edit: Edit) -> str:
    """The edit's name: that of its file."""
    return type(edit).__module__.rpartition(".")[2]


def undone_by(edit: Edit) -> int | None:
    """The ledger entry that this edit says it undoes; ``None`` where it says nothing sound."""
    try:
        entry = edit.undoes()
    except Exception:  # noqa: BLE001  (a plug-in's edit may raise anything)
        return None
    return entry if type(entry) is int else None


def price(edit: Edit, genome: Genome) -> float:
    """FLOPs charged for trying an edit; 0 where it names no sound price, and is rejected for it.

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


def _invalid(before: Genome, after: Genome, cost: float, sizes: tuple[int, int]) -> str:
    problems: list[str] = [*validity.genome_problems(after)]
    problems = problems or [*validity.fit_problems(after, *sizes)]
    if before.editor.name != after.editor.name:
        name = after.editor.name
        problems.append(f"no edit can install editor '{name}' in a running agent")
    if not _sound(cost):
        problems.append(f"its cost must be a finite number from 0, not {cost!r}")
    return f"invalid: {'; '.join(problems)}" if problems else ""
