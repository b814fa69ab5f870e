"""The two-gate guard: an edit must improve held-out play, within a cap of capacity.

After arXiv 2510.04399 (*Utility-Learning Tension in Self-Modifying Agents*): accept a
self-modification only if held-out performance gains a margin and capacity stays under a cap. The
capacity gate closes before anything is allocated. The margin gate is a probation: the laboratory
lets the agent play before the edit and some updates after it, on the same levels, and takes the
edit back where the gain is too small. Its play is charged to the agent; nothing is learned from it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agents.contract import AgentState, Edit


@dataclass(frozen=True)
class TwoGate:
    """The settings, as a scenario writes them."""

    margin: float = 0.0  # held-out return that an edit must gain, in the world's units
    capacity: int | None = None  # parameters; None: no cap
    updates: int = 10  # between the two measurements
    episodes: int = 64  # of each

    def too_big(self, parameters: int) -> str:
        """Say why so many parameters are rejected, or nothing."""
        if self.capacity is None or parameters <= self.capacity:
            return ""
        return f"two-gate: {parameters:,} parameters > capacity {self.capacity:,}"


@dataclass(frozen=True)
class Probation:
    """An applied edit whose gain is still to be measured."""

    entry: int  # its line in the ledger
    edit: Edit
    agent_state: AgentState  # the one before it
    held_out: float  # mean return before it
    until: int  # update at which the second measurement is due

    def verdict(self, rule: TwoGate, held_out: float) -> str:
        """Say why the edit is taken back after reaching ``held_out``, or nothing: it stays."""
        gain = held_out - self.held_out
        if gain >= rule.margin:
            return ""
        return (
            f"two-gate: held-out return {self.held_out:.4g} -> {held_out:.4g} in {rule.updates}"
            f" updates, a gain of {gain:.3g} < {rule.margin:g}"
        )


def mean(returns: Sequence[float]) -> float:
    """Mean of the episodes' returns, exactly rounded, so that their order does not matter."""
    return math.fsum(returns) / len(returns)
