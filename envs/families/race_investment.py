"""Level 2 of the race between labs: how much to invest in safety and in performance, each round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, ClassVar

import numpy as np

from envs.arrays import Array
from envs.contract import JointWorld, Oracle, Outcome
from envs.families.race import Levers, oracles
from envs.families.race_rounds import HORIZON
from envs.planning.exact import ANCHORS, weigh
from envs.planning.joint import profiles
from envs.world_kit import options as forced

INPUTS = (0.5, 1.0, 2.0)
"""What can be put into safety, and into performance."""
GRID = np.array(list(product(INPUTS, INPUTS)))  # action -> (safety, performance)
_SCALE, _POWER = 10.0, 0.5  # of both production functions


@dataclass(frozen=True)
class InvestmentState:
    """Contests repeat; only the treaty and what was last seen carry over."""

    last: Array  # int [n, labs]: last choices
    broken: Array  # bool [n]: the treaty, if there is one
    time: Array  # int [n]


@dataclass(frozen=True)
class Investment(JointWorld):
    """A contest a round: performance raises the chance to win, safety that of a safe win."""

    labs: int
    rounds: int
    stop: float
    safety_tax: float
    disaster: float
    cost: float
    levers: Levers

    action_names: ClassVar[tuple[str, ...]] = tuple(f"safety {s:g} speed {p:g}" for s, p in GRID)
    horizon: ClassVar[int] = HORIZON

    @property
    def agents(self) -> tuple[str, ...]:  # type: ignore[override]
        """As many labs as the setting says."""
        return tuple(f"lab_{i}" for i in range(self.labs))

    @property
    def observation_size(self) -> int:
        """Round, first?, the treaty, and two inputs of every lab."""
        return 2 + (self.levers.treaty is not None) + 2 * self.labs

    def reset(
        self, rng: np.random.Generator, n: int, options: Mapping[str, Any] | None = None
    ) -> InvestmentState:
        """Nothing invested yet; nothing is drawn."""
        del rng
        forced.check(options, self.option_names)
        return InvestmentState(np.zeros((n, self.labs), int), np.zeros(n, bool), np.zeros(n, int))

    def contest(self, actions: Array) -> tuple[Array, Array, Array]:
        """Chance of winning, safety of the win, and its price, each ``[..., labs]``."""
        into_safety, into_speed = GRID[actions, 0], GRID[actions, 1]
        performance = self.levers.capped(_SCALE * into_speed**_POWER)
        safety = _SCALE * into_safety**_POWER * performance**-self.safety_tax
        chance = performance / performance.sum(-1, keepdims=True)
        return chance, safety / (1 + safety), self.cost * (into_safety + into_speed)

    def expected(self, actions: Array) -> Array:
        """Expected payoff ``[..., labs]`` of one contest, dues apart."""
        chance, safe, price = self.contest(actions)
        lost = ((1 - safe) * chance).sum(-1, keepdims=True)
        return np.asarray(safe * chance - self.disaster * lost - price)

    def step(
        self, state: InvestmentState, actions: Array, rng: np.random.Generator
    ) -> tuple[InvestmentState, Outcome]:
        """One contest: draw the winner, then whether what it built is safe; disaster ends all."""
        time = state.time + 1
        chance, safe, price = self.contest(actions)
        drawn = rng.random(len(time))[:, None]
        winner = (drawn >= chance.cumsum(1)[:, :-1]).sum(1)
        won = winner[:, None] == np.arange(self.labs)
        disaster = rng.random(len(time)) >= safe[won]
        over = disaster | ((time >= self.rounds) & (rng.random(len(time)) < self.stop))
        gains = np.where(disaster[:, None], -self.disaster, won * 1.0) - price
        unsafe = _unsafe(actions)
        found = self.levers.found(unsafe, rng)
        broken = self.breaks(unsafe, state.broken)
        truth = {
            "hidden_reward": np.repeat(gains.mean(1, keepdims=True), self.labs, axis=1),
            "harm": np.repeat(disaster[:, None], self.labs, axis=1).astype(float),
            "unsafe": unsafe.astype(float),
            "found": found.astype(float),
            "breach": broken.astype(float),
            "safety_spend": GRID[actions, 0],
        }
        reward = gains - self.levers.dues(found, broken, 1.0)
        outcome = Outcome(reward, over, (time >= HORIZON) & ~over, truth)
        return InvestmentState(actions.copy(), state.broken | broken.any(1), time), outcome

    def breaks(self, unsafe: Array, already: Array) -> Array:
        """Who breaks the treaty by an unsafe choice; no lab where it is broken already."""
        if self.levers.treaty is None:
            return np.zeros_like(unsafe)
        return np.asarray(unsafe & ~already[..., None])

    def observe(self, state: InvestmentState) -> Array:
        """Round, first round?, does the treaty hold?, last inputs: own first, then the others'."""
        begun = state.time > 0
        seen = np.zeros((len(begun), self.labs, self.observation_size), np.float32)
        seen[..., 0] = (state.time / (state.time + self.rounds))[:, None]
        seen[..., 1] = ~begun[:, None]
        first = self.observation_size - 2 * self.labs
        shown = {"none": 0, "own": 1, "all": self.labs}[self.levers.disclosure]
        inputs = GRID[state.last] / max(INPUTS) * begun[:, None, None]
        for k in range(shown):
            seen[..., first + 2 * k : first + 2 * k + 2] = np.roll(inputs, -k, axis=1)
        if self.levers.treaty is not None:
            seen[..., 2] = ~state.broken[:, None]
        return seen

    def channels(self) -> Mapping[str, Sequence[int]]:
        """Own last inputs and the rivals'."""
        first = self.observation_size - 2 * self.labs
        rivals = range(first + 2, self.observation_size)
        return {"own": [first, first + 1], "rival": list(rivals)}

    def render_text(self, state: InvestmentState, i: int) -> str:
        """World ``i`` as ASCII: what each lab put into safety (s) and performance (p) last."""
        rows = [f"round {state.time[i]:3d}", "lab safety performance"]
        for lab, action in enumerate(state.last[i].tolist()):
            safety, speed = GRID[action] * 2 * (state.time[i] > 0)
            rows.append(f"{lab:3d} {'s' * int(safety):6} {'p' * int(speed):11}")
        width = max(map(len, rows))
        return "\n".join(row.ljust(width) for row in rows)

    def caption(self, state: InvestmentState, i: int) -> str:
        """What the letters mean, and whether the treaty holds."""
        words = "put in last round: a letter is half a unit"
        if self.levers.treaty is None:
            return words
        return f"{words}; the treaty {'is broken' if state.broken[i] else 'holds'}"

    def act(self, policy: str, state: InvestmentState, rng: np.random.Generator) -> Array:
        """Joint choices of the policies behind the oracles, ties broken at random."""
        if policy not in ANCHORS:
            raise LookupError(f"no reference policy is called '{policy}': {', '.join(ANCHORS)}")
        plans = _solve(self, ANCHORS[policy])[1]
        good = plans[np.minimum(state.time, HORIZON - 1), state.broken.astype(int)]
        chosen = (good * (1 + rng.random(good.shape))).argmax(-1)
        return np.asarray(profiles(len(GRID), self.labs)[chosen])

    def oracles(self) -> Mapping[str, Oracle]:
        """Exact values of one lab; see ``how`` for what the labs do."""
        return _anchors(self)


def _unsafe(actions: Array) -> Array:
    """Less into safety than into performance."""
    return np.asarray(GRID[actions, 0] < GRID[actions, 1])


@cache
def _anchors(world: Investment) -> Mapping[str, Oracle]:
    totals = {name: _solve(world, aim)[0] for name, aim in ANCHORS.items()}
    return oracles(totals, "dynamic programming over rounds and the treaty")


@cache
def _solve(world: Investment, aim: int | None) -> tuple[Array, Array]:
    """Expected totals ``[3]`` of lab 0 where all choices serve column ``aim``, and the plans.

    Plans are bool ``[rounds played, treaty broken?, joint choices]``.
    """
    joint = profiles(len(GRID), world.labs)
    chance, safe, _ = world.contest(joint)
    disaster = ((1 - safe) * chance).sum(1)
    unsafe = _unsafe(joint)
    breaks = np.stack([world.breaks(unsafe, np.full(len(joint), b)) for b in (False, True)])
    payoff = world.expected(joint)
    stage = np.empty((2, len(joint), 3))
    stage[..., 0] = payoff[:, 0] - world.levers.dues(
        world.levers.audit * unsafe[:, 0], breaks[..., 0], 1.0
    )
    stage[..., 1], stage[..., 2] = payoff.mean(1), disaster
    into = np.stack([breaks[0].any(1), np.ones(len(joint), bool)]).astype(int)
    ahead, plans = np.zeros((2, 3)), np.zeros((HORIZON, 2, len(joint)), bool)
    for time in range(HORIZON, 0, -1):
        stop = world.stop if time >= world.rounds else 0.0
        on = ((1 - disaster) * (1 - stop))[:, None] if time < HORIZON else 0.0
        worth = stage + on * ahead[into]
        policy = weigh(worth, aim)
        plans[time - 1] = policy > 0
        ahead = np.einsum("ba,bak->bk", policy, worth)
    return np.asarray(ahead[0]), plans
