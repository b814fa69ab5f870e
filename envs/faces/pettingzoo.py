"""The PettingZoo face of a world in which several agents move at once."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Discrete
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv

from envs.arrays import Array
from envs.contract import JointWorld, Outcome, State
from envs.faces.shared import (
    RENDER_MODES,
    Advance,
    action_space,
    check_render_mode,
    draw,
    may_know,
    observation_space,
)

Step = tuple[
    dict[str, Array],
    dict[str, float],
    dict[str, bool],
    dict[str, bool],
    dict[str, dict[str, Any]],
]
"""What a step returns, by agent."""


class ParallelFace(ParallelEnv):  # type: ignore[misc]
    """One joint world as a PettingZoo ``ParallelEnv``; all agents begin and end together."""

    metadata: ClassVar[dict[str, Any]] = {
        "name": "sandbox",
        "render_modes": list(RENDER_MODES),
        "render_fps": 4,
    }

    def __init__(
        self,
        world: JointWorld,
        *,
        render_mode: str | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.world = world
        self.render_mode = check_render_mode(render_mode)
        self.possible_agents = list(world.agents)
        self.agents: list[str] = []
        self.observation_spaces = {name: observation_space(world) for name in world.agents}
        self.action_spaces = {name: action_space(world) for name in world.agents}
        self.frozen_seed = False
        self.rng = rng if rng is not None else seeding.np_random()[0]
        self._state: State = None

    def observation_space(self, agent: str) -> "Box":
        """Space of what ``agent`` sees; always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> "Discrete[Any]":
        """Space of what ``agent`` can do; always the same object."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
        """Start an episode with all agents.

        Options that the world does not know are left alone: PettingZoo's own tests pass such.
        """
        if seed is not None and not self.frozen_seed:
            self.rng = seeding.np_random(seed)[0]
        known = {k: v for k, v in (options or {}).items() if k in self.world.option_names}
        self._state = self.world.reset(self.rng, 1, known)
        self.agents = list(self.possible_agents)
        return self._seen(), {name: {} for name in self.agents}

    def step(self, actions: Mapping[str, Any]) -> Step:
        """Let every agent move. Raises ``ResetNeeded`` where no episode is under way."""
        return self.advance(actions).public

    def advance(self, actions: Mapping[str, Any]) -> Advance[Step]:
        """Let every agent move; its ground truth comes beside what ``step`` returns."""
        if not self.agents:
            raise ResetNeeded("no episode is under way: call reset() before step()")
        before, chosen = self._state, self._checked(actions)
        self._state, outcome = self.world.step(before, chosen, self.rng)
        names = self.agents
        seen = self._seen()
        terminated, truncated = bool(outcome.terminated[0]), bool(outcome.truncated[0])
        if terminated or truncated:
            self.agents = []
        public = (
            seen,
            dict(zip(names, outcome.reward[0].tolist(), strict=True)),
            dict.fromkeys(names, terminated),
            dict.fromkeys(names, truncated),
            self._infos(names, outcome),
        )
        return Advance(public, outcome, before)

    def _infos(self, names: list[str], outcome: Outcome) -> dict[str, dict[str, Any]]:
        known = may_know(outcome)
        return {
            name: {what: int(values[0, k]) for what, values in known.items()}
            for k, name in enumerate(names)
        }

    def _checked(self, actions: Mapping[str, Any]) -> Array:
        if set(actions) != set(self.agents):
            raise ValueError(f"step needs one action each of {', '.join(self.agents)}")
        chosen = np.array([[actions[name] for name in self.agents]], np.int64)
        most = len(self.world.action_names)
        if (chosen < 0).any() or (chosen >= most).any():
            raise ValueError(f"actions must be in 0..{most - 1}, not {dict(actions)!r}")
        return chosen

    def _seen(self) -> dict[str, Array]:
        rows = self.world.observe(self._state)[0]
        return {name: row.copy() for name, row in zip(self.agents, rows, strict=True)}

    def render(self) -> Any:
        """Draw the world in the render mode given to the constructor."""
        return draw(self.world, self._state, 0, self.render_mode)

    def close(self) -> None:
        """Nothing is held open."""
