"""What penalties for side effects share: a transition table by counting, and a noop action.

Both penalties compare what follows an action with what would have followed doing nothing, step by
step (the stepwise baseline), and are 0 where counts are missing: in a state never met, or where the
action or the noop was never tried there.
"""

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from agents.arrays import Array
from agents.contract import Batch, LiveObjective
from agents.models.transitions import Transitions, TransitionTable
from agents.objective_contract import row_by_row
from agents.part_settings import SettingError


def inaction(noop: int, actions: int) -> int:
    """Number of the action that does nothing; -1 is the last. ``ValueError`` if there is none."""
    if not -actions <= noop < actions:
        raise SettingError(
            f"noop must be one of {actions} actions (or -1, the last), not {noop}", "noop"
        )
    return noop % actions


class Penalty(LiveObjective):
    """Counts transitions; the reward is minus the cost of an action that follows from them."""

    def __init__(self, size: int, actions: int, noop: int) -> None:
        self.actions, self.noop = actions, inaction(noop, actions)
        self.world = Transitions(size, actions)

    @abstractmethod
    def learn(self, plan: TransitionTable) -> None:
        """Take in all that is known by now."""

    @abstractmethod
    def penalty(self, rows: Array, actions: Array, arrivals: Array) -> Array:
        """What these steps cost, at least 0, float64 ``[k]``; ``rows`` have been met before."""

    def reward(self, batch: Batch) -> Array:
        """Minus the penalty; 0 for an absent agent or an unknown state."""
        rows = self.world.find(batch.observation)
        known = rows >= 0
        if batch.present is not None:
            known &= batch.present
        rewards = np.zeros(len(rows))
        arrivals = self.world.arrivals(batch)
        rewards[known] = -self.penalty(rows[known], batch.action[known], arrivals[known])
        return rewards

    def rewards(self, rollout: Batch) -> Array:
        """All at once: what is known changes between rollouts only."""
        return row_by_row(self.reward, rollout)

    def update(self, rollout: Batch) -> None:
        """Count, then back up values."""
        self.world.learn(rollout)
        self.learn(self.world.plan())

    def taken_over(self, state: Mapping[str, Array], *names: str) -> list[Array]:
        """Load the world, and return copies of the named tables, a row a state each."""
        tables = [state[name].copy() for name in names]
        self.world.load(state, "world")
        for name, table in zip(names, tables, strict=True):
            if len(table) != len(self.world):
                raise ValueError(f"{name} of {len(table)} rows do not fit {len(self.world)} states")
        return tables


def grown(table: Array, shape: tuple[int, ...], fill: float) -> Array:
    """A table of this larger shape, new entries filled."""
    found = np.full(shape, fill)
    found[tuple(slice(0, length) for length in table.shape)] = table
    return found
