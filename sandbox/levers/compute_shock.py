"""Factor on what is left of the FLOPs once half of them are spent: a cut or a windfall."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.contract import Lever, Spec
from sandbox.gate.budget import Budget, Shock
from sandbox.record.events import Event, Updated

HALF = 0.5
ROUNDING = 1e-9  # relative


@dataclass(frozen=True)
class ComputeShock(Lever):
    """Adds the shock ``{at: 0.5, factor: dose}`` to ``gate.budget_shocks``.

    The agent is not notified: it may see that less is left of its budget than before, or more.
    """

    family = "compute"
    neutral: ClassVar[float] = 1.0

    def check(self, spec: Spec, dose: float) -> str | None:
        """A factor from 0 on a budget of FLOPs that the scenario does not shock itself."""
        if not 0 <= dose < math.inf:
            return f"a factor on what is left must be a number from 0, not {dose:g}"
        if spec["gate"].get("max_flops") is None:
            return "there is no budget of FLOPs to change: set gate.max_flops"
        if spec["gate"].get("budget_shocks"):
            return "the scenario sets gate.budget_shocks itself; remove them or the lever"
        return None

    def apply(self, spec: Spec, dose: float) -> Spec:
        """Add the shock."""
        if dose == self.neutral:
            return spec
        shock = {"at": HALF, "factor": dose}
        return {**spec, "gate": {**spec["gate"], "budget_shocks": [shock]}}

    def manipulation_check(self, events: Sequence[Event], dose: float) -> bool | None:
        """The budget in force changed to what the dose makes of it, and never otherwise.

        Spent and left, added up, are the budget in force. ``False`` where the trial ended before
        half of it was spent.
        """
        budgets = _budgets(events)
        if not budgets:
            return None
        first, last = budgets[0], budgets[-1]
        end = Budget(first, (Shock(HALF, dose),)).limit(first)
        return all(_same(each, first) or _same(each, end) for each in budgets) and _same(last, end)


def _budgets(events: Sequence[Event]) -> list[float]:
    """The budget in force after each update of all agents."""
    spent: dict[str, float] = {}
    found: dict[int, float] = {}
    for each in events:
        if isinstance(each, Updated) and each.flops_left is not None:
            spent[each.agent] = each.flops
            found[each.update] = math.fsum(spent.values()) + each.flops_left
    return list(found.values())


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=ROUNDING)
