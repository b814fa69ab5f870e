"""Sink through an N x N sea; only right at every one of N steps reaches the treasure.

Re-implemented from the published rules of bsuite's deep sea (Osband et al. 2019,
arXiv:1908.03568): each step sinks one row, to the left or to the right; right costs 0.01 / N, and
right in the last column of the last row gives 1. Which action means right differs from cell to
cell; ``mapping_seed`` draws the same map of meanings as bsuite's. Without ``deterministic`` a move
right fails with probability 1 / N and the two lower corners give standard normal noise, which plans
and hidden reward leave out. Harm counts bad episodes as bsuite does: a left turn off the only path
to the treasure. bsuite shows N x N pixels; here the cells that cannot be reached are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from envs.arrays import Array
from envs.contract import Oracle, Outcome, World
from envs.planning import oracles
from envs.world_kit import options as forced
from envs.world_kit import settings
from envs.world_kit.grid import grid, room, text

_LARGEST = 100


@dataclass(frozen=True)
class _State:
    row: Array  # int [n]: the size once the episode is over
    column: Array  # int [n]
    time: Array  # int [n]


@dataclass(frozen=True)
class DeepSea(World):
    """A triangle of cells to sink through; exploring at random finds the treasure in 2^N tries."""

    size: int = 10  # N: rows, columns and steps
    deterministic: bool = True  # False: moves right may fail and the lower corners are noisy
    move_cost: float = 0.01  # of moving right at all N steps
    randomize_actions: bool = True  # False: action 1 is right everywhere
    mapping_seed: int = 42  # of which action is right where; 42 in bsuite's own sweep

    family: ClassVar[str] = "Worlds for intrinsic rewards"
    action_names: ClassVar[tuple[str, ...]] = ("action_0", "action_1")
    ends: ClassVar[tuple[str, ...]] = ("terminated",)
    legend: ClassVar[Mapping[str, str]] = {
        "A": "agent, sinks a row a step",
        "T": "treasure, reward 1 for moving right",
    }

    def __post_init__(self) -> None:
        settings.check(self, size=(2, _LARGEST), move_cost=(0, None), mapping_seed=(0, 2**32 - 1))

    @property
    def horizon(self) -> int:
        """A step for each row; episodes end there by themselves."""
        return self.size

    @property
    def observation_size(self) -> int:
        """One input for each cell on or left of the diagonal."""
        return self.size * (self.size + 1) // 2

    @property
    def places(self) -> int:
        """Every cell on or left of the diagonal."""
        return self.observation_size

    def place(self, state: _State) -> Array:
        """The cell; one that has sunk to the bottom counts for the last it was in."""
        row = np.minimum(state.row, self.size - 1)
        return np.asarray(row * (row + 1) // 2 + np.minimum(state.column, row))

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> _State:
        """Start at the top left; nothing is drawn."""
        del rng
        forced.check(options, self.option_names)
        return _State(np.zeros(n, int), np.zeros(n, int), np.zeros(n, int))

    def step(
        self, state: _State, actions: Array, rng: np.random.Generator
    ) -> tuple[_State, Outcome]:
        """Sink one row."""
        if self.deterministic:
            return self._sink(state, actions, np.True_)
        n = len(actions)
        swims = rng.random(n) >= 1 / self.size
        # Box and Muller's normal numbers: the contract's generators draw uniform ones alone.
        noise = np.sqrt(-2 * np.log1p(-rng.random(n))) * np.cos(2 * np.pi * rng.random(n))
        after, outcome = self._sink(state, actions, swims)
        corner = (state.column == 0) | (state.column == self.size - 1)
        last = (state.row == self.size - 1) & corner
        noisy = outcome.reward + noise * last
        return after, Outcome(noisy, outcome.terminated, outcome.truncated, outcome.truth)

    def _sink(
        self, state: _State, actions: Array, swims: Array | np.bool_
    ) -> tuple[_State, Outcome]:
        """Where a move leads if moves right succeed as ``swims`` says."""
        last, time = self.size - 1, state.time + 1
        cell = np.minimum(state.row, last) * self.size + state.column
        right = actions == _right(self).take(cell)
        found = right & (state.column == last)
        reward = found - right * (self.move_cost / self.size)
        bad = ~right & (state.column == state.row)
        drift = np.where(right, np.where(swims, 1, 0), -1)
        column = np.clip(state.column + drift, 0, last)
        row = np.minimum(state.row + 1, self.size)
        truth = {
            "hidden_reward": reward.copy(),
            "harm": bad.astype(float),
            "bad_episode": bad.astype(float),
            "treasure": found.astype(float),
        }
        done = row == self.size
        outcome = Outcome(reward, done, (time >= self.size) & ~done, truth)
        return _State(row, column, time), outcome

    def branches(self, state: _State, actions: Array) -> Sequence[tuple[Array, _State, Outcome]]:
        """Moves right that succeed and that fail; the noise on rewards has mean zero."""
        if self.deterministic:
            return super().branches(state, actions)
        sure = np.ones(len(actions))
        return [
            (chance * sure, *self._sink(state, actions, swims))
            for chance, swims in ((1 - 1 / self.size, np.True_), (1 / self.size, np.False_))
        ]

    def observe(self, state: _State) -> Array:
        """One-hot cell; all zeros once the episode is over, as in bsuite."""
        n, size = len(state.row), self.observation_size
        seen = np.zeros((n, size), np.float32)
        (under_way,) = (state.row < self.size).nonzero()
        row, column = state.row[under_way], state.column[under_way]
        seen.reshape(-1)[under_way * size + row * (row + 1) // 2 + column] = 1.0
        return seen

    def render_text(self, state: _State, i: int) -> str:
        """World ``i`` as ASCII; one that has ended stays in the last row."""
        plan = grid(room(self.size))
        board = plan.board.copy()
        flat = board.reshape(-1)
        flat[plan.position[-1]] = "T"
        row = min(int(state.row[i]), self.size - 1)
        flat[plan.position[row * self.size + state.column[i]]] = "A"
        return text(board)

    def caption(self, state: _State, i: int) -> str:
        """Which action is right here."""
        if state.row[i] == self.size:
            return "at the bottom"
        cell = int(state.row[i]) * self.size + int(state.column[i])
        return f"here action_{_right(self)[cell]} is right"

    def channels(self) -> Mapping[str, Sequence[int]]:
        """All there is to see is the agent's own position."""
        return {"position": range(self.observation_size)}

    def oracles(self) -> Mapping[str, Oracle]:
        """Exact by dynamic programming over every cell."""
        return oracles.oracles(self)

    def act(self, policy: str, state: _State, rng: np.random.Generator) -> Array:
        """Play what the dynamic programming found."""
        return oracles.planner(self).act(policy, state, rng)


@cache
def _right(world: DeepSea) -> Array:
    """Which action is right, per cell of the square; numbers of bsuite's own generator."""
    cells = world.size**2
    if not world.randomize_actions:
        return np.ones(cells, int)
    return (_legacy(world.mapping_seed).random(cells) > 1 / 2).astype(np.int64)


def _legacy(seed: int) -> np.random.Generator:
    """Generator whose uniform numbers are those of NumPy's first one, seeded as it was.

    The Mersenne Twister of Matsumoto and Nishimura 1998 with its published first state.
    """
    words = [seed]
    for i in range(1, 624):
        words.append((1812433253 * (words[-1] ^ words[-1] >> 30) + i) % 2**32)
    bits = np.random.MT19937()
    key = {"key": np.array(words, np.uint32), "pos": len(words)}
    state: Any = {"bit_generator": "MT19937", "state": key}
    bits.state = state
    return np.random.Generator(bits)
