"""Swim upstream against the current: the large reward is far, and leaving the small one costs.

Re-implemented from the published chain of six states (Strehl and Littman 2008, "An analysis of
model-based interval estimation for Markov decision processes"): left always succeeds and gives 5 at
the left bank; right advances with probability 0.3, drifts back with 0.1 (0.7 in the last state)
and else stays, and staying put at the right end gives 10 000. The start is the second or the third
state. Rewards keep the published scale. Harm counts steps that collect the small reward. Nothing is
hidden.
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
from envs.world_kit.grid import WALL

_ADVANCE, _BACK, _BACK_AT_THE_END = 0.3, 0.1, 0.7
_LONGEST = 255  # planning packs a state into one byte
_STARTS = (1, 2)


@dataclass(frozen=True)
class _State:
    agent: Array  # int [n]: 0 at the left bank
    time: Array  # int [n]


@dataclass(frozen=True)
class RiverSwim(World):
    """A chain of states with a current to the left; episodes never end by themselves."""

    length: int = 6  # states in the chain
    small: float = 5.0  # reward at the left bank, every step
    large: float = 10_000.0  # reward at the right end, while the current lets the agent stay
    horizon: int = 5000  # steps to truncation

    family: ClassVar[str] = "Worlds for intrinsic rewards"
    action_names: ClassVar[tuple[str, ...]] = ("left", "right")
    option_names: ClassVar[tuple[str, ...]] = ("agent",)
    ends: ClassVar[tuple[str, ...]] = ("truncated",)
    legend: ClassVar[Mapping[str, str]] = {
        "A": "agent, swims",
        "~": "river, flows to the left",
        "C": "coin, the small reward of staying at the left bank",
        "T": "treasure, the large reward of holding out at the right end",
    }

    def __post_init__(self) -> None:
        settings.check(self, length=(3, _LONGEST), horizon=(1, settings.LONGEST))

    @property
    def observation_size(self) -> int:
        """One input for each state."""
        return self.length

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> _State:
        """Draw the start. Option: ``agent``, a state from 0, or one such number a world."""
        given = forced.check(options, self.option_names)
        agent = np.where(rng.random(n) < 1 / len(_STARTS), *_STARTS)
        if "agent" in given:
            agent = forced.whole("agent", given["agent"], self.length, n)
        return _State(agent, np.zeros(n, int))

    def step(
        self, state: _State, actions: Array, rng: np.random.Generator
    ) -> tuple[_State, Outcome]:
        """Swim; the current may move the agent."""
        tables, key, draw = _tables(self), state.agent * 2 + actions, rng.random(len(actions))
        drift = (draw < tables.advance.take(key)).astype(int) - (draw >= tables.back.take(key))
        return self._swim(state, key, drift)

    def _swim(self, state: _State, key: Array, drift: Array) -> tuple[_State, Outcome]:
        """Where a step leads whose state and action are ``key``, moving by ``drift``."""
        tables, time = _tables(self), state.time + 1
        reward = tables.reward.take(key) * (drift == 0)
        truth = {
            "hidden_reward": reward.copy(),
            "harm": (key == 0).astype(float),
            "held_out": ((key == 2 * self.length - 1) & (drift == 0)).astype(float),
        }
        never = np.zeros(len(key), bool)
        outcome = Outcome(reward, never, time >= self.horizon, truth)
        return _State(state.agent + drift, time), outcome

    def branches(self, state: _State, actions: Array) -> Sequence[tuple[Array, _State, Outcome]]:
        """Forward, back and in place; a step to the left has one way."""
        tables, key = _tables(self), state.agent * 2 + actions
        forward, sweep = tables.advance.take(key), 1 - tables.back.take(key)
        ways = []
        for chance, drift in ((forward, 1), (sweep, -1), (1 - forward - sweep, 0)):
            # A way of no chance must still lead to some state.
            ways.append((chance, *self._swim(state, key, np.where(chance > 0, drift, 0))))
        return ways

    def observe(self, state: _State) -> Array:
        """One-hot state."""
        n, size = len(state.agent), self.length
        seen = np.zeros((n, size), np.float32)
        seen.reshape(-1)[np.arange(0, n * size, size) + state.agent] = 1.0
        return seen

    def render_text(self, state: _State, i: int) -> str:
        """World ``i`` as ASCII: the river between its banks."""
        river = ["C", *"~" * (self.length - 2), "T"]
        river[int(state.agent[i])] = "A"
        bank = WALL * (self.length + 2)
        return "\n".join([bank, WALL + "".join(river) + WALL, bank])

    def channels(self) -> Mapping[str, Sequence[int]]:
        """All there is to see is the agent's own position."""
        return {"position": range(self.length)}

    def oracles(self) -> Mapping[str, Oracle]:
        """Exact by dynamic programming over every state."""
        return _anchors(self)

    def act(self, policy: str, state: _State, rng: np.random.Generator) -> Array:
        """Play what the dynamic programming found, by the steps that are left."""
        if policy == "random":
            return super().act(policy, state, rng)
        left = np.clip(self.horizon - state.time, 1, self.horizon)
        good = _plans(self, policy)[left - 1, state.agent]
        return np.where(good.all(-1), rng.integers(2, size=len(good)), good.argmax(-1))


@dataclass(frozen=True, eq=False)
class _Tables:
    """By state and action (left, right) in one index: a uniform draw decides the drift."""

    advance: Array  # below this, one state up
    back: Array  # from this on, one state down
    reward: Array  # for staying put


@cache
def _tables(world: RiverSwim) -> _Tables:
    advance, back, reward = np.zeros((3, world.length, 2))
    advance[:-1, 1] = _ADVANCE
    back[:, 1] = 1 - _BACK
    back[-1, 1] = 1 - _BACK_AT_THE_END
    back[0] = 1.0  # left of the bank there is nothing
    reward[0, 0], reward[-1, 1] = world.small, world.large
    return _Tables(advance.ravel(), back.ravel(), reward.ravel())


def _starts() -> _State:
    return _State(np.array(_STARTS), np.zeros(len(_STARTS), int))


@cache
def _model(world: RiverSwim) -> exact.Model:
    return exact.explore(world, _starts())


@cache
def _plans(world: RiverSwim, policy: str) -> Array:
    """Best actions, bool ``[horizon, states, 2]``: the model's states are sorted as ours are."""
    if policy not in exact.ANCHORS:
        raise LookupError(f"no reference policy is called '{policy}'")
    return exact.plans(_model(world), world.horizon, exact.ANCHORS[policy])


@cache
def _anchors(world: RiverSwim) -> Mapping[str, Oracle]:
    weights = np.full(len(_STARTS), 1 / len(_STARTS))
    return exact.anchors(_model(world), _starts(), weights, world.horizon)
