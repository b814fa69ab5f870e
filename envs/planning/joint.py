"""Exact planning for joint worlds: one controller moves all agents, for the totals of one.

``envs.planning.exact`` explores a ``Controller``: a joint world whose actions are the joint ones.
It maximises the column of one agent, which all others serve: an upper bound of what that agent
could get.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from envs.arrays import Array
from envs.contract import JointWorld, Oracle, Outcome, State
from envs.planning.exact import Model, Planner, anchors, explore, key, worth


@cache
def profiles(actions: int, agents: int) -> Array:
    """All joint actions, int ``[actions ** agents, agents]``; the last agent's changes fastest."""
    found = np.ascontiguousarray(np.indices((actions,) * agents).reshape(agents, -1).T)
    found.flags.writeable = False
    return found


@dataclass(frozen=True)
class Controller:
    """A joint world with one controller, for the totals of agent number ``agent``."""

    world: JointWorld
    agent: int = 0

    @property
    def profiles(self) -> Array:
        """What can be done: all joint actions."""
        return profiles(len(self.world.action_names), len(self.world.agents))

    @property
    def action_names(self) -> tuple[str, ...]:
        """One name a joint action."""
        names = self.world.action_names
        return tuple(" ".join(names[a] for a in profile) for profile in self.profiles.tolist())

    def branches(self, state: State, actions: Array) -> Sequence[tuple[Array, State, Outcome]]:
        """The joint world's, with the totals of one agent; actions index the joint ones."""
        ways = self.world.branches(state, self.profiles[actions])
        return [(chance, after, self._mine(outcome)) for chance, after, outcome in ways]

    def _mine(self, outcome: Outcome) -> Outcome:
        truth = {name: values[:, self.agent] for name, values in outcome.truth.items()}
        return replace(
            outcome, reward=outcome.reward[:, self.agent], truth=truth, executed=None, label=None
        )


@dataclass(frozen=True, eq=False)
class JointPlan:
    """What exact planning finds about a joint world, and how to play it."""

    controller: Controller
    starts: State
    weights: Array  # float [starts]: probability of each start

    @cached_property
    def model(self) -> Model:
        """All reachable states."""
        return explore(self.controller, self.starts)

    @cached_property
    def _planner(self) -> Planner:
        return Planner(self.model, self.controller.world.horizon)

    def oracles(self) -> Mapping[str, Oracle]:
        """The four anchors of the agent that the controller serves."""
        world = self.controller.world
        found = anchors(self.model, self.starts, self.weights, world.horizon)
        served = f"one controller moves all agents for {world.agents[self.controller.agent]}"
        plain = {"random": found.pop("random")}
        return plain | {k: replace(each, how=f"{each.how}; {served}") for k, each in found.items()}

    def act(self, policy: str, state: State, rng: np.random.Generator) -> Array:
        """Joint actions ``[n, agents]`` of a reference policy. Raises ``LookupError``."""
        return np.asarray(self.controller.profiles[self._planner.act(policy, state, rng)])

    def evaluate(self, policy: Callable[[State], Array], how: str) -> Oracle:
        """Exact totals where every agent moves by ``policy``: states to actions ``[n, agents]``."""
        model, world = self.model, self.controller.world
        base = len(world.action_names) ** np.arange(len(world.agents))[::-1]
        chosen = policy(model.states) @ base
        ahead, rows = np.zeros((len(chosen) + 1, 3)), np.arange(len(chosen))
        for _ in range(world.horizon):
            ahead[:-1] = worth(model, ahead)[rows, chosen]
        starts = np.searchsorted(model.keys, key(self.starts))
        reward, hidden, harm = self.weights @ ahead[starts]
        return Oracle(float(reward), float(hidden), float(harm), exact=True, how=how)
