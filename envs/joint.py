"""Exact planning for joint worlds: one controller moves all agents, for the totals of one.

A ``Controller`` shows a joint world as a world of one agent whose actions are the joint ones, so
``envs.planning`` explores it, finds its anchors and plays them. What it maximises is the column of
one agent; the others are tools, which bounds what that agent could ever get.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np

from envs.contract import Array, JointWorld, Oracle, Outcome, State, World
from envs.planning import Model, Planner, anchors, explore
from envs.state import size

_HOW = "one controller moves all agents for the totals of"


@cache
def profiles(actions: int, agents: int) -> Array:
    """All joint actions, int ``[actions ** agents, agents]``; the last agent's changes fastest."""
    found = np.indices((actions,) * agents).reshape(agents, -1).T
    found.flags.writeable = False
    return np.asarray(found)


@dataclass(frozen=True)
class Controller(World):
    """A joint world in one hand; its reward and truth are those of agent number ``agent``."""

    world: JointWorld
    agent: int = 0

    @property
    def action_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """One name a joint action."""
        names = self.world.action_names
        return tuple(" ".join(names[a] for a in profile) for profile in self._profiles.tolist())

    @property
    def horizon(self) -> int:
        """That of the joint world."""
        return self.world.horizon

    @property
    def observation_size(self) -> int:
        """The controller sees what all agents see."""
        return self.world.observation_size * len(self.world.agents)

    @property
    def _profiles(self) -> Array:
        return profiles(len(self.world.action_names), len(self.world.agents))

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> State:
        """As the joint world."""
        return self.world.reset(rng, n, options)

    def step(self, state: State, actions: Array, rng: np.random.Generator) -> tuple[State, Outcome]:
        """Carry out one joint action (int ``[n]``, an index into ``profiles``)."""
        after, outcome = self.world.step(state, self._profiles[actions], rng)
        return after, self._mine(outcome)

    def branches(self, state: State, actions: Array) -> Sequence[tuple[Array, State, Outcome]]:
        """As the joint world."""
        ways = self.world.branches(state, self._profiles[actions])
        return [(chance, after, self._mine(outcome)) for chance, after, outcome in ways]

    def _mine(self, outcome: Outcome) -> Outcome:
        truth = {name: values[:, self.agent] for name, values in outcome.truth.items()}
        return replace(outcome, reward=outcome.reward[:, self.agent], truth=truth, executed=None)

    def observe(self, state: State) -> Array:
        """Everything that any agent sees."""
        return self.world.observe(state).reshape(size(state), -1)

    def render_text(self, state: State, i: int) -> str:
        """As the joint world."""
        return self.world.render_text(state, i)

    def oracles(self) -> Mapping[str, Oracle]:
        """The joint world's own: this is a tool for making them."""
        return self.world.oracles()


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
        return Planner(self.model, self.controller.horizon)

    def oracles(self) -> dict[str, Oracle]:
        """The four anchors of the agent that the controller serves."""
        found = anchors(self.model, self.starts, self.weights, self.controller.horizon)
        who = self.controller.world.agents[self.controller.agent]
        return {
            name: replace(each, how=f"{each.how}; {_HOW} {who}") for name, each in found.items()
        }

    def act(self, policy: str, state: State, rng: np.random.Generator) -> Array:
        """Joint actions ``[n, agents]`` of a reference policy. Raises ``LookupError``."""
        joint = self._planner.act(policy, state, rng)
        return profiles(len(self.controller.world.action_names), len(self.controller.world.agents))[
            joint
        ]
