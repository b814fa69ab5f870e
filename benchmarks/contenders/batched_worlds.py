"""Two worlds whose copies are stepped in one pass, as Gymnasium vector envs, and a plain twin.

CartPole has Gymnasium's constants. The stream has no dynamics: 500 inputs of which ten are one,
chance rewards and ends; it measures cost and nothing can be learned from it.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

Array = np.ndarray[Any, Any]
INPUTS, ONES, ROWS, END = 500, 10, 4096, 0.02


class Batched(VectorEnv[Any, Any, Any]):
    """Restarts episodes within the step. Leaves say how a step goes and what is seen."""

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012  (as Gymnasium has it)

    def __init__(self, copies: int, inputs: int, actions: int) -> None:
        self.num_envs = copies
        self.single_observation_space = Box(-np.inf, np.inf, (inputs,), np.float32)
        self.single_action_space = Discrete(actions)
        self.observation_space = batch_space(self.single_observation_space, copies)
        self.action_space = batch_space(self.single_action_space, copies)
        self.chance = np.random.default_rng(0)

    def reset(
        self, *, seed: int | None = None, options: Any = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start all episodes."""
        del options
        if seed is not None:
            self.chance = np.random.default_rng(seed)
        self.restart(np.arange(self.num_envs))
        return self.seen(), {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Step all copies."""
        reward, terminated, truncated = self.advance(np.asarray(actions))
        seen, (ended,) = self.seen(), np.nonzero(terminated | truncated)
        if not ended.size:
            return seen, reward, terminated, truncated, {}
        final = seen.copy()
        self.restart(ended)
        seen[ended] = self.seen()[ended]
        return seen, reward, terminated, truncated, {"final_obs": final}

    def restart(self, rows: Array) -> None:
        """Start an episode in these copies."""
        raise NotImplementedError

    def advance(self, actions: Array) -> tuple[Array, Array, Array]:
        """Reward, terminated and truncated of a step."""
        raise NotImplementedError

    def seen(self) -> Array:
        """A new array, float32 ``[copies, inputs]``."""
        raise NotImplementedError


class BatchedCartPole(Batched):
    """Gymnasium's ``CartPole-v1``, copies in one pass."""

    def __init__(self, copies: int) -> None:
        super().__init__(copies, 4, 2)
        self.state = np.zeros((4, copies))
        self.time = np.zeros(copies, int)

    def restart(self, rows: Array) -> None:
        """Near the middle, nearly at rest."""
        self.state[:, rows] = self.chance.uniform(-0.05, 0.05, (4, len(rows)))
        self.time[rows] = 0

    def advance(self, actions: Array) -> tuple[Array, Array, Array]:
        """One Euler step."""
        x, v, angle, spin = self.state
        cos, sin = np.cos(angle), np.sin(angle)
        push = (np.where(actions == 1, 10.0, -10.0) + 0.05 * spin * spin * sin) / 1.1
        turn = (9.8 * sin - cos * push) / (0.5 * (4 / 3 - 0.1 * cos * cos / 1.1))
        force = push - 0.05 * turn * cos / 1.1
        self.state = np.stack(
            [x + 0.02 * v, v + 0.02 * force, angle + 0.02 * spin, spin + 0.02 * turn]
        )
        self.time += 1
        fallen = (np.abs(self.state[0]) > 2.4) | (np.abs(self.state[2]) > 12 * np.pi / 180)
        return np.ones(self.num_envs), fallen, (self.time >= 500) & ~fallen

    def seen(self) -> Array:
        """Position, speed, angle and spin."""
        return self.state.T.astype(np.float32)


def stream_rows() -> Array:
    """All observations there are, float32 ``[ROWS, INPUTS]``."""
    rows = np.zeros((ROWS, INPUTS), np.float32)
    places = np.random.default_rng(0).random((ROWS, INPUTS)).argpartition(ONES)[:, :ONES]
    np.put_along_axis(rows, places, 1.0, axis=1)
    return rows


class BatchedStream(Batched):
    """Rows at random."""

    def __init__(self, copies: int) -> None:
        super().__init__(copies, INPUTS, 4)
        self.rows = stream_rows()
        self.shown = np.zeros(copies, int)

    def restart(self, rows: Array) -> None:
        """Nothing starts or ends here but the count of returns."""
        self.shown[rows] = self.chance.integers(ROWS, size=len(rows))

    def advance(self, actions: Array) -> tuple[Array, Array, Array]:
        """Another row, whatever was done."""
        n = len(actions)
        self.shown = self.chance.integers(ROWS, size=n)
        return self.chance.random(n), self.chance.random(n) < END, np.zeros(n, bool)

    def seen(self) -> Array:
        """The rows shown now."""
        return self.rows[self.shown]


class PlainStream(gymnasium.Env[Any, int]):
    """One copy of the stream, as a single Gymnasium env."""

    def __init__(self) -> None:
        self.observation_space = Box(0.0, 1.0, (INPUTS,), np.float32)
        self.action_space = Discrete(4)
        self.rows, self.chance = stream_rows(), np.random.default_rng(0)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Show a row."""
        super().reset(seed=seed, options=options)
        return self.rows[self.chance.integers(ROWS)], {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Show another row."""
        del action
        seen = self.rows[self.chance.integers(ROWS)]
        return seen, self.chance.random(), self.chance.random() < END, False, {}
