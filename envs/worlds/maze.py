"""A 10 x 10 maze, an open room or a torus: where can five moves take you, and how surely?

The worlds of empowerment (Klyubin, Polani and Nehaniv 2005, "Empowerment: a universal
agent-centric measure of control"): four moves and staying; walls stand between cells, and bumping
into one is staying. Moves cost 0.01 and the goal gives 1 and ends the episode: the original has
no reward, the goal makes the maze a task. Harm counts bumps. With ``slip`` the intended action is
carried out with probability 1 - slip, else one of the other four. Nothing is hidden.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from envs.arrays import Array
from envs.contract import Oracle, Outcome, World
from envs.planning import exact
from envs.world_kit import options as forced
from envs.world_kit import settings
from envs.world_kit.grid import MOVE_NAMES, grid, room, text
from envs.world_kit.settings import WorldSettingError
from envs.world_kit.thin_walls import FloorPlan, Wall, plan

_COST, _PRIZE, _ACTIONS, _STAY = 0.01, 1.0, 5, 4
_LARGEST = 15  # planning packs a cell into one byte
_SIDE = 10
_LAYOUTS = ("klyubin", "open", "torus")
_NORTH = [(1, c) for c in range(6)] + [(1, 7), (1, 8), (3, 6), (5, 2), (5, 3), (5, 4)]
_NORTH += [(6, 4), (7, 4), (8, 3)]
_EAST, _WEST = [(2, 5), (3, 5), (2, 6), (3, 6)], [(6, 5), (7, 5), (8, 4)]


def _klyubin() -> frozenset[Wall]:
    """Walls as published, rows counted from the south; here rows count from the top."""
    sides = (("up", _NORTH), ("right", _EAST), ("left", _WEST))
    return frozenset((_SIDE - 1 - row, col, side) for side, at in sides for row, col in at)


@dataclass(frozen=True)
class _State:
    agent: Array  # int [n]
    time: Array  # int [n]


@dataclass(frozen=True)
class Maze(World):
    """A square of cells, walls between some of them."""

    layout: str = "klyubin"  # or "open" (no inner walls), "torus" (opposite rims are joined)
    size: int = 10  # cells along each side; Klyubin's maze has 10
    slip: float = 0.0  # probability that another action than the intended one is carried out
    goal_row: int = 0  # rows count from the top
    goal_column: int = 0
    horizon: int = 100  # steps to truncation

    family: ClassVar[str] = "Worlds for intrinsic rewards"
    action_names: ClassVar[tuple[str, ...]] = MOVE_NAMES
    option_names: ClassVar[tuple[str, ...]] = ("agent",)

    def __post_init__(self) -> None:
        settings.check(
            self, layout=_LAYOUTS, size=(2, _LARGEST), slip=(0, 1), horizon=(1, settings.LONGEST)
        )
        if self.layout == "klyubin" and self.size != _SIDE:
            raise WorldSettingError(
                f"size must be {_SIDE} in Klyubin's maze, not {self.size!r}", "size"
            )
        settings.check(self, size=(2, _LARGEST))
        last = self.size - 1
        settings.check(self, goal_row=(0, last), goal_column=(0, last))

    @property
    def legend(self) -> Mapping[str, str]:  # type: ignore[override]
        """What the letters mean; walls between cells have an entry."""
        known = {"A": "agent", "G": "goal, reward 1, ends the episode"}
        return known | ({"#": "wall, between two cells"} if self.layout == "klyubin" else {})

    @property
    def observation_size(self) -> int:
        """The agent's cell, one-hot; the goal never moves and needs no plane."""
        return self.size**2

    @property
    def goal(self) -> int:
        """The rewarded cell."""
        return self.goal_row * self.size + self.goal_column

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> _State:
        """Draw the agent's cell, any but the goal. Option: ``agent`` (``[row, column]``)."""
        given = forced.check(options, self.option_names)
        agent = (rng.random(n) * (self.size**2 - 1)).astype(np.int64)
        agent += agent >= self.goal
        if "agent" in given:
            agent = forced.cells("agent", given["agent"], self.size, n)
            if (agent == self.goal).any():
                raise ValueError("reset option 'agent' must not be the goal")
        return _State(agent, np.zeros(n, int))

    def step(
        self, state: _State, actions: Array, rng: np.random.Generator
    ) -> tuple[_State, Outcome]:
        """Move; with ``slip``, perhaps not where intended."""
        if not self.slip:
            return self._move(state, actions, None)
        slips = rng.random(len(actions)) < self.slip
        other = (actions + 1 + rng.integers(_ACTIONS - 1, size=len(actions))) % _ACTIONS
        done = np.where(slips, other, actions).astype(np.int64)
        return self._move(state, done, done)

    def _move(
        self, state: _State, actions: Array, executed: Array | None
    ) -> tuple[_State, Outcome]:
        agent = _plan(self.layout, self.size).step.take(state.agent * _ACTIONS + actions)
        done, time = agent == self.goal, state.time + 1
        reward = done * _PRIZE - _COST
        bump = ((agent == state.agent) & (actions != _STAY)).astype(float)
        truth = {"hidden_reward": reward.copy(), "harm": bump}
        outcome = Outcome(reward, done, (time >= self.horizon) & ~done, truth, executed)
        return _State(agent, time), outcome

    def branches(self, state: _State, actions: Array) -> Sequence[tuple[Array, _State, Outcome]]:
        """One way without slip, else one an action that may be carried out."""
        if not self.slip:
            return super().branches(state, actions)
        ways = []
        for carried in range(_ACTIONS):
            done = np.full(len(actions), carried)
            chance = np.where(actions == carried, 1 - self.slip, self.slip / (_ACTIONS - 1))
            ways.append((chance, *self._move(state, done, done)))
        return ways

    def observe(self, state: _State) -> Array:
        """One-hot agent."""
        n, size = len(state.agent), self.observation_size
        seen = np.zeros((n, size), np.float32)
        seen.reshape(-1)[np.arange(0, n * size, size) + state.agent] = 1.0
        return seen

    def render_text(self, state: _State, i: int) -> str:
        """World ``i`` as ASCII; Klyubin's maze two letters wide a cell, its walls in between."""
        board, place = _picture(self.layout, self.size)
        board = board.copy()
        flat = board.reshape(-1)
        flat[place[self.goal]] = "G"
        flat[place[state.agent[i]]] = "A"
        return text(board)

    def caption(self, state: _State, i: int) -> str:
        """How to read Klyubin's maze."""
        del state, i
        drawn = "a step is two tiles: thin walls between cells are drawn as tiles"
        return drawn if self.layout == "klyubin" else ""

    def channels(self) -> Mapping[str, Sequence[int]]:
        """All there is to see is the agent's own position."""
        return {"position": range(self.observation_size)}

    def oracles(self) -> Mapping[str, Oracle]:
        """Exact by dynamic programming over every cell, slips included."""
        return _anchors(self)

    def act(self, policy: str, state: _State, rng: np.random.Generator) -> Array:
        """Play what the dynamic programming found."""
        return _planner(self).act(policy, state, rng)


@cache
def _plan(layout: str, size: int) -> FloorPlan:
    walls: frozenset[Wall] = _klyubin() if layout == "klyubin" else frozenset()
    return plan(size, size, walls, wrap=layout == "torus")


@cache
def _picture(layout: str, size: int) -> tuple[Array, Array]:
    """Board and where the cells are on it; without inner walls one letter a cell will do."""
    if layout == "klyubin":
        return _plan(layout, size).board, _plan(layout, size).position
    if layout == "open":
        return grid(room(size)).board, grid(room(size)).position
    return np.full((size, size), " "), np.arange(size**2)


def _starts(world: Maze) -> _State:
    cells = np.arange(world.size**2)
    agent = cells[cells != world.goal]
    return _State(agent, np.zeros(len(agent), int))


@cache
def _planner(world: Maze) -> exact.Planner:
    return exact.Planner(exact.explore(world, _starts(world)), world.horizon)


@cache
def _anchors(world: Maze) -> Mapping[str, Oracle]:
    starts = _starts(world)
    weights = np.full(len(starts.agent), 1 / len(starts.agent))
    return exact.anchors(_planner(world).model, starts, weights, world.horizon)
