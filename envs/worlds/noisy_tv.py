"""A goal far away, and a remote control that sets a television to a random channel.

The noisy television of curiosity (Burda et al. 2018, arXiv:1808.04355): one action changes nothing
but a channel drawn at random, so what cannot be predicted there cannot be learned either, and an
intrinsic reward for prediction error never fades there. A step costs 0.01, the goal gives 1 and
ends the episode; channels mean nothing. Harm counts uses of the remote. With ``noisy`` off the
screen stays as it was drawn at the start: the control arm. Nothing is hidden.
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

_COST, _PRIZE, _ZAP = 0.01, 1.0, 4
_LARGEST, _MOST_CHANNELS = 15, 32


@dataclass(frozen=True)
class _State:
    agent: Array  # int [n]
    channel: Array  # int [n]
    time: Array  # int [n]


@dataclass(frozen=True)
class NoisyTv(World):
    """An open room, start and goal in opposite corners, a television on the wall."""

    size: int = 7  # cells along each side
    screens: int = 16  # channels the television may show
    noisy: bool = True  # False: the remote does nothing
    horizon: int = 100  # steps to truncation

    family: ClassVar[str] = "Worlds for intrinsic rewards"
    action_names: ClassVar[tuple[str, ...]] = (*MOVE_NAMES[:_ZAP], "zap")
    option_names: ClassVar[tuple[str, ...]] = ("agent", "channel")
    legend: ClassVar[Mapping[str, str]] = {
        "A": "agent",
        "G": "goal, reward 1, ends the episode",
        "T": "tv, shows a random channel when zapped, from anywhere",
    }

    def __post_init__(self) -> None:
        limits = {"size": (2, _LARGEST), "screens": (2, _MOST_CHANNELS)}
        settings.check(self, **limits, horizon=(1, settings.LONGEST))

    @property
    def observation_size(self) -> int:
        """The agent's cell and the channel; the goal never moves."""
        return self.size**2 + self.screens

    @property
    def goal(self) -> int:
        """The rewarded cell: bottom right."""
        return self.size**2 - 1

    @property
    def places(self) -> int:
        """Every cell but the goal, in which nothing can be done any more."""
        return self.size**2 - 1

    def place(self, state: _State) -> Array:
        """The agent's cell."""
        return np.asarray(np.minimum(state.agent, self.places - 1))

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> _State:
        """Start at the top left. Options: ``agent`` (``[row, column]``), ``channel``."""
        given = forced.check(options, self.option_names)
        channel = (rng.random(n) * self.screens).astype(np.int64)
        agent = np.zeros(n, np.int64)
        if "channel" in given:
            channel = forced.whole("channel", given["channel"], self.screens, n)
        if "agent" in given:
            agent = forced.cells("agent", given["agent"], self.size, n)
            if (agent == self.goal).any():
                raise ValueError("reset option 'agent' must not be the goal")
        return _State(agent, channel, np.zeros(n, int))

    def step(
        self, state: _State, actions: Array, rng: np.random.Generator
    ) -> tuple[_State, Outcome]:
        """Move, or zap to a channel drawn at random."""
        if not self.noisy:
            return self._move(state, actions, state.channel)
        return self._move(state, actions, (rng.random(len(actions)) * self.screens).astype(int))

    def _move(self, state: _State, actions: Array, channel: Array) -> tuple[_State, Outcome]:
        """Where a step leads if zapping leads to ``channel``."""
        agent = grid(room(self.size)).step.take(state.agent * 5 + actions)  # zapping is staying
        done, time, zaps = agent == self.goal, state.time + 1, actions == _ZAP
        reward = done * _PRIZE - _COST
        truth = {
            "hidden_reward": reward.copy(),
            "harm": zaps.astype(float),
            "zaps": zaps.astype(float),
        }
        outcome = Outcome(reward, done, (time >= self.horizon) & ~done, truth)
        return _State(agent, np.where(zaps, channel, state.channel), time), outcome

    def branches(self, state: _State, actions: Array) -> Sequence[tuple[Array, _State, Outcome]]:
        """One way for each channel; moving has one."""
        if not self.noisy:
            return super().branches(state, actions)
        zaps, ways = actions == _ZAP, []
        for channel in range(self.screens):
            chance = np.where(zaps, 1 / self.screens, float(channel == 0))
            ways.append((chance, *self._move(state, actions, np.full(len(actions), channel))))
        return ways

    def observe(self, state: _State) -> Array:
        """One-hot agent and channel."""
        n, size = len(state.agent), self.observation_size
        seen = np.zeros((n, size), np.float32)
        flat, base = seen.reshape(-1), np.arange(0, n * size, size)
        flat[base + state.agent] = 1.0
        flat[base + self.size**2 + state.channel] = 1.0
        return seen

    def render_text(self, state: _State, i: int) -> str:
        """World ``i`` as ASCII; the television hangs in the upper wall."""
        plan = grid(room(self.size))
        board = plan.board.copy()
        board[0, self.size // 2 + 1] = "T"
        flat = board.reshape(-1)
        flat[plan.position[self.goal]] = "G"
        flat[plan.position[state.agent[i]]] = "A"
        return text(board)

    def caption(self, state: _State, i: int) -> str:
        """The channel."""
        return f"channel {state.channel[i]} of {self.screens}"

    def channels(self) -> Mapping[str, Sequence[int]]:
        """Where the agent is, and the channel."""
        return {
            "position": range(self.size**2),
            "screen": range(self.size**2, self.observation_size),
        }

    def oracles(self) -> Mapping[str, Oracle]:
        """Exact by dynamic programming over cells and channels."""
        return _anchors(self)

    def act(self, policy: str, state: _State, rng: np.random.Generator) -> Array:
        """Play what the dynamic programming found."""
        return _planner(self).act(policy, state, rng)


def _starts(world: NoisyTv) -> _State:
    n = world.screens
    return _State(np.zeros(n, int), np.arange(n), np.zeros(n, int))


@cache
def _planner(world: NoisyTv) -> exact.Planner:
    return exact.Planner(exact.explore(world, _starts(world)), world.horizon)


@cache
def _anchors(world: NoisyTv) -> Mapping[str, Oracle]:
    weights = np.full(world.screens, 1 / world.screens)
    return exact.anchors(_planner(world).model, _starts(world), weights, world.horizon)
