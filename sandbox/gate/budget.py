"""The one account of an agent's compute, and the budget that it is held against.

Everything is analytic FLOPs, never seconds: whatever machine runs a trial, it is charged the same.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.contract import named

CATEGORIES: Mapping[str, str] = {
    "learning": "rollouts, and updates on them, forward and backward",
    "objectives": "rewarding, and what objectives learn themselves",
    "environment": "environment steps, at gate.step_flops each",
    "upkeep": "gate.upkeep for every parameter, at every update",
    "edits": "the price of every proposal, applied or rejected",
    "editor": "what the editor computed, learned and tried out",
    "evaluation": "episodes played because the gate wanted to know what an edit did",
}
"""What is charged, and for what."""


@dataclass
class Meter:
    """What one agent has spent, in FLOPs by category; only ever grows."""

    spent: dict[str, float] = field(default_factory=dict)

    def charge(self, category: str, flops: float) -> None:
        """Add to the account. Raises ``ValueError``: no such category, negative, not finite."""
        if category not in CATEGORIES:
            raise ValueError(f"no compute is charged as '{category}', only {list(CATEGORIES)}")
        if not 0 <= flops < math.inf:
            raise ValueError(f"{category}: {flops!r} FLOPs cannot be charged")
        if flops:
            self.spent[category] = self.spent.get(category, 0.0) + float(flops)

    @property
    def total(self) -> float:
        """FLOPs of all categories."""
        return math.fsum(self.spent.values())


@dataclass(frozen=True)
class Shock:
    """Once ``at`` of the initial budget is spent, the rest of the budget is multiplied."""

    at: float  # share of the initial budget, above 0
    factor: float  # below 1: a compute cut; above 1: a windfall

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for numbers that mean nothing."""
        if not 0 < self.at < math.inf:
            raise ValueError(f"at is a share of the budget above 0, not {self.at!r}")
        if not 0 <= self.factor < math.inf:
            raise ValueError(f"factor is a finite number from 0, not {self.factor!r}")


@dataclass(frozen=True)
class Budget:
    """FLOPs of a whole trial, all agents together, and how they change during the run.

    The budget in force is a function of what is spent and of nothing else: with ``B`` initially, a
    shock ``(at, factor)`` turns a budget of ``L`` into ``at B + factor (L - at B)`` as soon as
    ``at B`` is spent. Two agents therefore get the same budget to the last FLOP, however large
    the update was that crossed the line.
    """

    flops: float | None = None  # None: no limit
    shocks: tuple[Shock, ...] = ()  # in order of ``at``

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for shocks of no budget, or that can never come."""
        if self.shocks and self.flops is None:
            raise ValueError("budget_shocks change max_flops, and there is none")
        if [each.at for each in self.shocks] != sorted({each.at for each in self.shocks}):
            raise ValueError("budget_shocks come in the order of 'at', no two at once")
        limit = 1.0
        for shock in self.shocks:
            if shock.at >= limit:
                what = f"the shock at {shock.at:g} never comes: all is spent at {limit:g}"
                raise ValueError(what)
            limit = shock.at + shock.factor * (limit - shock.at)

    @classmethod
    def of(cls, gate: Mapping[str, Any]) -> "Budget":
        """Read a spec's ``gate``; one of an old run has no shocks."""
        return cls(gate.get("max_flops"), shocks(gate.get("budget_shocks", ())))

    def limit(self, spent: float) -> float:
        """The budget in force once ``spent`` FLOPs are spent; inf where there is none."""
        if self.flops is None:
            return math.inf
        limit = self.flops
        for shock in self.shocks:
            line = shock.at * self.flops
            if spent >= line:
                limit = line + shock.factor * (limit - line)
        return limit

    @property
    def end(self) -> float:
        """What can be spent in all, shocks included; inf where there is no limit."""
        limit = self.limit(0.0)
        while self.limit(limit) != limit:  # a windfall lets one spend on, to the next shock
            limit = self.limit(limit)
        return limit

    def left(self, spent: float) -> float:
        """FLOPs until the budget in force is spent; negative beyond."""
        return self.limit(spent) - spent

    def used(self, spent: float) -> float:
        """Share of the budget in force that is spent; 0 where there is none, at most 1."""
        limit = self.limit(spent)
        return min(spent / limit, 1.0) if limit > 0 else 1.0

    def age(self, spent: float) -> float:
        """Share of the initial budget that is spent, shocks ignored: the clock of a world."""
        return 0.0 if self.flops is None else spent / self.flops


def shocks(written: Sequence[Mapping[str, float]]) -> tuple[Shock, ...]:
    """Read ``[{at, factor}, ...]`` as a scenario has it. Raises ``ValueError``."""
    return tuple(Shock(each["at"], each["factor"]) for each in written)


def progress(spec: Mapping[str, Any], steps: int, spent: float) -> float:
    """Share of a trial that is over, 0 to 1: of its steps or FLOPs, whichever binds."""
    planned = named(spec["learner"]).total_steps if spec["learner"] else 0
    by_steps = steps / planned if planned else 0.0
    return min(max(by_steps, Budget.of(spec.get("gate", {})).used(spent)), 1.0)
