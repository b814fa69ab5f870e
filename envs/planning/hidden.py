"""Exact planning for an agent that cannot see what was drawn at the start of its episode.

The state of such a world records the draw, and whether the agent has found it out. Until then all
draws look alike, so the agent knows the state less the draw, and believes what it believed at the
start; the step on which it finds out leads to one state a draw. With these steps as branches of
chance the belief is part of an ordinary model (Åström 1965), which ``envs.planning.exact`` solves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from envs.arrays import Array
from envs.contract import Oracle, Outcome, State, World
from envs.planning import exact


@dataclass(frozen=True)
class Unaware:
    """A world as it is for an agent that does not know its draw."""

    world: World
    draw: str  # field of the state, int [n]: what was drawn, from 0
    known: str  # field of the state, bool [n]: was it found out? For all draws at the same time
    chances: tuple[float, ...]  # probability of each draw

    @property
    def action_names(self) -> tuple[str, ...]:
        """Same as the world's."""
        return self.world.action_names

    def seen(self, state: State) -> State:
        """Return what the agent knows of a state: a draw not found out reads 0."""
        drawn, known = getattr(state, self.draw), getattr(state, self.known)
        return replace(state, **{self.draw: drawn * known})

    def branches(self, state: State, actions: Array) -> Sequence[tuple[Array, State, Outcome]]:
        """Ways a step can go, as far as the agent knows: those of every draw it holds possible."""
        drawn, known = getattr(state, self.draw), getattr(state, self.known)
        ways = []
        for draw, chance in enumerate(self.chances):
            fixed = replace(state, **{self.draw: np.where(known, drawn, draw).astype(drawn.dtype)})
            believed = np.where(known, draw == 0, chance)  # once known, one branch is enough
            for likely, after, outcome in self.world.branches(fixed, actions):
                ways.append((believed * likely, self.seen(after), outcome))
        return ways

    def planner(self, start: State) -> exact.Planner:
        """Solve from one first state; ask the plans about ``seen`` states only."""
        model = exact.explore(self, self.seen(start))
        return exact.Planner(model, self.world.horizon)

    def anchors(self, planner: exact.Planner, start: State) -> Mapping[str, Oracle]:
        """Evaluate the reference policies; none of them knows more than the agent."""
        one = np.ones(1)
        found = exact.anchors(planner.model, self.seen(start), one, planner.horizon)
        how = f"; '{self.draw}' is unknown until the agent finds out"
        return {name: replace(each, how=each.how + how) for name, each in found.items()}
