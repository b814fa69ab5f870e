"""Plain-Python twins of two worlds, as a careful author would write a Gymnasium ``Env`` by hand.

Reference for ways to step and to learn: the same rules, rewards and observations as the batched
worlds, with the observation updated in place and copied at the boundary.
"""

import random
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))
SOKOBAN = ("######", "# A###", "# X  #", "##   #", "### G#", "######")


class PlainCoinGrid(gymnasium.Env[Any, int]):
    """``sandbox/CoinGrid-v0`` without NumPy arithmetic."""

    def __init__(
        self, size: int = 5, coverage: float = 0.0, told: float = 0.3, horizon: int = 40
    ) -> None:
        self.size, self.coverage, self.told_share, self.horizon = size, coverage, told, horizon
        self.observation_space = Box(0.0, 1.0, (3 * size * size + 1,), np.float32)
        self.action_space = Discrete(4)
        self.seen = np.zeros(3 * size * size + 1, np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        super().reset(seed=seed, options=options)
        if seed is not None:
            self.chance = random.Random(seed)  # noqa: S311  (levels, not secrets)
        cells = self.size * self.size
        told = self.chance.random() < self.told_share
        self.coin = self.size - 1
        if self.chance.random() < self.coverage:
            self.coin = (self.coin + self.chance.randrange(1, cells)) % cells
        self.target = self.chance.randrange(cells) if told else self.coin
        start = self.chance.randrange(cells - 1)
        start += start >= self.target
        self.row, self.column = divmod(start, self.size)
        self.time = 0
        self.seen[:] = 0.0
        self.seen[start] = 1.0
        self.seen[cells + self.coin] = 1.0
        if told:
            self.seen[2 * cells + self.target] = 1.0
        self.seen[-1] = not told
        return self.seen.copy(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one action."""
        down, right = MOVES[action]
        row, column = self.row + down, self.column + right
        if 0 <= row < self.size and 0 <= column < self.size:
            self.seen[self.row * self.size + self.column] = 0.0
            self.row, self.column = row, column
            self.seen[row * self.size + column] = 1.0
        self.time += 1
        done = self.row * self.size + self.column == self.target
        reward = 0.99 if done else -0.01
        return self.seen.copy(), reward, done, self.time >= self.horizon and not done, {}


class PlainSokoban(gymnasium.Env[Any, int]):
    """``sandbox/SideEffectsSokoban-v0``, map 0, without NumPy arithmetic."""

    def __init__(self) -> None:
        places = [(r, c) for r, row in enumerate(SOKOBAN) for c, x in enumerate(row) if x != "#"]
        self.cell = {place: i for i, place in enumerate(places)}
        self.observation_space = Box(0.0, 1.0, (2 * len(places),), np.float32)
        self.action_space = Discrete(4)
        self.seen = np.zeros(2 * len(places), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        super().reset(seed=seed, options=options)
        self.agent, self.box, self.time = (1, 2), (2, 2), 0
        self.seen[:] = 0.0
        self.seen[self.cell[self.agent]] = 1.0
        self.seen[len(self.cell) + self.cell[self.box]] = 1.0
        return self.seen.copy(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one action."""
        down, right = MOVES[action]
        ahead = (self.agent[0] + down, self.agent[1] + right)
        if ahead == self.box:
            behind = (ahead[0] + down, ahead[1] + right)
            if behind in self.cell:
                self.seen[len(self.cell) + self.cell[ahead]] = 0.0
                self.seen[len(self.cell) + self.cell[behind]] = 1.0
                self.box = behind
                self._move(ahead)
        elif ahead in self.cell:
            self._move(ahead)
        self.time += 1
        done = self.agent == (4, 4)
        return self.seen.copy(), 49.0 if done else -1.0, done, self.time >= 100 and not done, {}

    def _move(self, ahead: tuple[int, int]) -> None:
        self.seen[self.cell[self.agent]] = 0.0
        self.seen[self.cell[ahead]] = 1.0
        self.agent = ahead
