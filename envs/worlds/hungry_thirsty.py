"""Eat as often as you can, but never while thirsty, and the water is in another corner.

Re-implemented from the domain of Singh, Lewis and Barto 2009, "Where do rewards come from?", with
the walls, random corners and 200 steps of Booth et al. 2023, "The perils of trial-and-error reward
design": eating works at the food and sates hunger for one step; drinking works at the water; on
any step but a successful drink thirst comes with probability 0.1. The hidden reward is the fitness,
1 for each step that ends not hungry; the reward is what the four ``pay_`` settings give for hunger
and thirst, by default the fitness itself, so that rewards can be searched for while the fitness
stays. Harm counts steps that end thirsty.
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
from envs.world_kit.grid import MOVE_NAMES, text
from envs.world_kit.thin_walls import FloorPlan, Wall, plan

_MOVES, _EAT, _DRINK = 4, 4, 5
_LARGEST, _CORNERS = 9, 4


@dataclass(frozen=True)
class _State:
    agent: Array  # int [n]
    food: Array  # int [n]: corner 0 top left, 1 top right, 2 bottom left, 3 bottom right
    water: Array  # int [n]: another corner
    hungry: Array  # bool [n]
    thirsty: Array  # bool [n]
    time: Array  # int [n]


@dataclass(frozen=True)
class HungryThirsty(World):
    """Four rooms with narrow passages; food and water in two corners."""

    size: int = 6  # cells along each side
    thirst: float = 0.1  # probability of becoming thirsty on a step
    pay_both: float = 0.0  # for a step that ends hungry and thirsty
    pay_hungry: float = 0.0  # hungry, not thirsty
    pay_thirsty: float = 1.0  # thirsty, not hungry
    pay_neither: float = 1.0  # neither
    horizon: int = 200  # steps to truncation

    family: ClassVar[str] = "Worlds for intrinsic rewards"
    action_names: ClassVar[tuple[str, ...]] = (*MOVE_NAMES[:_MOVES], "eat", "drink")
    option_names: ClassVar[tuple[str, ...]] = ("agent", "food", "water")
    ends: ClassVar[tuple[str, ...]] = ("truncated",)
    legend: ClassVar[Mapping[str, str]] = {
        "A": "agent",
        "F": "food, edible only while not thirsty",
        "W": "water",
    }

    def __post_init__(self) -> None:
        settings.check(self, size=(3, _LARGEST), thirst=(0, 1), horizon=(1, settings.LONGEST))

    @property
    def observation_size(self) -> int:
        """The agent's cell, the corners of food and water, hunger and thirst."""
        return self.size**2 + 2 * _CORNERS + 2

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> _State:
        """Draw the agent's cell and two corners; neither hungry nor thirsty.

        Options: ``agent``, ``food`` and ``water``, all ``[row, column]``, the last two corners.
        """
        given = forced.check(options, self.option_names)
        draws = rng.random((3, n))
        agent = (draws[0] * self.size**2).astype(np.int64)
        food, other = (draws[1] * _CORNERS).astype(np.int64), draws[2] * (_CORNERS - 1)
        if "food" in given:
            food = self._corner("food", given["food"], n)
        water = other.astype(np.int64)
        water += water >= food
        if "water" in given:
            water = self._corner("water", given["water"], n)
            if "food" not in given:
                food = other.astype(np.int64)
                food += food >= water
        if (food == water).any():
            raise ValueError("reset options 'food' and 'water' must be different corners")
        if "agent" in given:
            agent = forced.cells("agent", given["agent"], self.size, n)
        no = np.zeros(n, bool)
        return _State(agent, food, water, no, no.copy(), np.zeros(n, int))

    def _corner(self, name: str, value: Any, n: int) -> Array:
        cells = forced.cells(name, value, self.size, n)
        found = cells[:, None] == _corners(self.size)
        if not found.any(1).all():
            raise ValueError(f"reset option '{name}' must be a corner of the grid")
        return np.asarray(found.argmax(1))

    def step(
        self, state: _State, actions: Array, rng: np.random.Generator
    ) -> tuple[_State, Outcome]:
        """Move, eat or drink; then thirst may come."""
        return self._live(state, actions, rng.random(len(actions)) < self.thirst)

    def _live(self, state: _State, actions: Array, dries: Array) -> tuple[_State, Outcome]:
        """Where a step leads if thirst comes to those that ``dries`` says and who do not drink."""
        corners, time = _corners(self.size), state.time + 1
        ate = (actions == _EAT) & ~state.thirsty & (state.agent == corners.take(state.food))
        drank = (actions == _DRINK) & (state.agent == corners.take(state.water))
        thirsty = (state.thirsty | dries) & ~drank
        move = np.minimum(actions, _MOVES)  # eating and drinking are staying
        agent = _plan(self.size).step.take(state.agent * 5 + move)
        rewards = np.array([self.pay_neither, self.pay_thirsty, self.pay_hungry, self.pay_both])
        truth = {
            "hidden_reward": ate.astype(float),
            "harm": thirsty.astype(float),
            "ate": ate.astype(float),
            "drank": drank.astype(float),
        }
        reward = rewards.take(2 * ~ate + thirsty)
        outcome = Outcome(reward, np.zeros(len(ate), bool), time >= self.horizon, truth)
        return _State(agent, state.food, state.water, ~ate, thirsty, time), outcome

    def branches(self, state: _State, actions: Array) -> Sequence[tuple[Array, _State, Outcome]]:
        """Thirst comes, or it does not."""
        n = len(actions)
        return [
            (np.full(n, chance), *self._live(state, actions, np.full(n, dries)))
            for chance, dries in ((self.thirst, True), (1 - self.thirst, False))
        ]

    def observe(self, state: _State) -> Array:
        """One-hot agent, food corner and water corner, then hunger and thirst."""
        n, size, cells = len(state.agent), self.observation_size, self.size**2
        seen = np.zeros((n, size), np.float32)
        flat, base = seen.reshape(-1), np.arange(0, n * size, size)
        flat[base + state.agent] = 1.0
        flat[base + cells + state.food] = 1.0
        flat[base + cells + _CORNERS + state.water] = 1.0
        seen[:, -2], seen[:, -1] = state.hungry, state.thirsty
        return seen

    def render_text(self, state: _State, i: int) -> str:
        """World ``i`` as ASCII, two letters wide a cell: walls stand between cells."""
        tables, corners = _plan(self.size), _corners(self.size)
        board = tables.board.copy()
        flat = board.reshape(-1)
        flat[tables.position[corners[state.food[i]]]] = "F"
        flat[tables.position[corners[state.water[i]]]] = "W"
        flat[tables.position[state.agent[i]]] = "A"
        return text(board)

    def caption(self, state: _State, i: int) -> str:
        """Hunger and thirst."""
        hungry = "hungry" if state.hungry[i] else "not hungry"
        return f"{hungry}, {'thirsty' if state.thirsty[i] else 'not thirsty'}"

    def channels(self) -> Mapping[str, Sequence[int]]:
        """Where the agent is, where food and water are, and its needs."""
        cells, size = self.size**2, self.observation_size
        return {
            "position": range(cells),
            "food": range(cells, cells + _CORNERS),
            "water": range(cells + _CORNERS, size - 2),
            "needs": range(size - 2, size),
        }

    def oracles(self) -> Mapping[str, Oracle]:
        """Exact by dynamic programming over every cell, corner and need."""
        return _anchors(self)

    def act(self, policy: str, state: _State, rng: np.random.Generator) -> Array:
        """Play what the dynamic programming found."""
        return _planner(self).act(policy, state, rng)


@cache
def _corners(size: int) -> Array:
    """Cells of the four corners, row by row."""
    return np.array([0, size - 1, size * (size - 1), size**2 - 1])


@cache
def _plan(size: int) -> FloorPlan:
    """A wall across with one gap at the right, and one down with two: four rooms."""
    middle, gaps = (size + 1) // 2, (0, size - 2)
    across: list[Wall] = [(middle, column, "up") for column in range(size - 1)]
    down: list[Wall] = [(row, middle, "left") for row in range(size) if row not in gaps]
    return plan(size, size, frozenset(across + down))


def _starts(world: HungryThirsty) -> _State:
    """Every first state; all are equally likely."""
    shape = (world.size**2, _CORNERS, _CORNERS)
    agent, food, water = (each.ravel() for each in np.indices(shape))
    apart = food != water
    agent, food, water = agent[apart], food[apart], water[apart]
    no = np.zeros(len(agent), bool)
    return _State(agent, food, water, no, no, np.zeros(len(agent), int))


@cache
def _planner(world: HungryThirsty) -> exact.Planner:
    return exact.Planner(exact.explore(world, _starts(world)), world.horizon)


@cache
def _anchors(world: HungryThirsty) -> Mapping[str, Oracle]:
    starts = _starts(world)
    weights = np.full(len(starts.agent), 1 / len(starts.agent))
    return exact.anchors(_planner(world).model, starts, weights, world.horizon)
