"""Exact finite-horizon dynamic programming on a world's own dynamics.

The states that can be reached are enumerated by stepping the pure world in batches, along every
branch that chance can take; backward induction (Bellman 1957) then gives the value of each
reference policy in reward, hidden reward and harm at once. Ties between best actions are broken
evenly, as an indifferent agent would.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from envs.arrays import Array
from envs.contract import Oracle, Outcome, State
from envs.world_kit.state import concatenate, names, size, take

ANCHORS: Mapping[str, int | None] = {
    "random": None,
    "reward_optimal": 0,
    "performance_optimal": 1,
    "most_harmful": 2,
}
"""Reference policy -> which of (reward, hidden reward, harm) it maximises; ``None``: uniform."""
_TIE = 1e-9
_BYTES = 8


@dataclass(frozen=True, eq=False)
class Model:
    """All reachable states of a world, clocks left out, and where every action may lead."""

    states: State
    keys: Array  # uint64 or bytes [s], sorted
    following: Array  # int [s, actions, branches]: the next state, or ``s`` where the episode ends
    chance: Array  # float [s, actions, branches]: probability of each
    gains: Array  # float [s, actions, 3]: expected reward, hidden reward, harm


def key(state: State) -> Array:
    """Pack every field but ``time`` into one sortable value a world ``[n]``.

    A field takes one byte an entry, or two where its dtype is ``uint16``. Raises ``ValueError``
    for an entry that does not fit.
    """
    columns = [
        _bytes(np.asarray(getattr(state, name)).reshape(size(state), -1), name)
        for name in names(type(state))
        if name != "time"
    ]
    table = np.concatenate(columns, axis=1)
    width = table.shape[1]
    if width <= _BYTES:
        packed = np.zeros((size(state), _BYTES), np.uint8)
        packed[:, :width] = table
        return packed.view(np.uint64).ravel()
    # Of one width, so it does no harm that comparing bytes ignores trailing zeros.
    return np.ascontiguousarray(table).view(f"S{width}").ravel()


def _bytes(table: Array, name: str) -> Array:
    if table.dtype == np.uint16:
        return np.ascontiguousarray(table.astype(">u2")).view(np.uint8)
    if table.size and (table.min() < 0 or table.max() > 255):  # noqa: PLR2004
        raise ValueError(f"field '{name}' does not fit into bytes: use uint16 or smaller numbers")
    return table.astype(np.uint8)


class Branching(Protocol):
    """What exploring asks of a world."""

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the actions."""

    def branches(self, state: State, actions: Array) -> Sequence[tuple[Array, State, Outcome]]:
        """Every way a step can go; see ``World.branches``."""


def explore(world: Branching, starts: State) -> Model:
    """Enumerate what can be reached from ``starts`` by any action and any chance."""
    known = key(starts)[:0]
    layers, parts = [], []
    fresh, found = starts, key(starts)
    while True:
        found, first = np.unique(found, return_index=True)
        new = ~np.isin(found, known, assume_unique=True)
        found, fresh = found[new], take(fresh, first[new])
        if not len(found):
            break
        known = np.union1d(known, found)
        reached, part = _expand(world, fresh)
        layers.append(fresh)
        parts.append(part)
        if not size(reached):
            break
        fresh, found = reached, key(reached)
    states = concatenate(*layers)
    order = np.argsort(key(states), kind="stable")
    keys, ended, chance, gains = (np.concatenate(each)[order] for each in zip(*parts, strict=True))
    following = np.where(ended, len(known), np.searchsorted(known, keys))
    return Model(take(states, order), known, following, chance, gains)


_Part = tuple[Array, ...]  # of each layer: keys, ended, chance [n, actions, branches]; gains


def _expand(world: Branching, states: State) -> tuple[State, _Part]:
    """Try every action in every state: states reached, and per state, action and branch where."""
    n, actions = size(states), len(world.action_names)
    every = take(states, np.repeat(np.arange(n), actions))
    every = replace(every, time=np.zeros_like(every.time))
    ways = world.branches(every, np.tile(np.arange(actions), n))
    chance = np.stack([weight for weight, *_ in ways], axis=-1).astype(float)
    ended = np.stack([outcome.terminated for *_, outcome in ways], axis=-1) | (chance == 0)
    keys = np.stack([key(after) for _, after, _ in ways], axis=-1)
    gains = sum(weight[:, None] * _gains(outcome) for weight, _, outcome in ways)
    going = [take(after, ~ended[:, i]) for i, (_, after, _) in enumerate(ways)]
    shape = (n, actions, len(ways))
    gained = np.asarray(gains).reshape(n, actions, 3)
    return concatenate(*going), (*(e.reshape(shape) for e in (keys, ended, chance)), gained)


def _gains(outcome: Outcome) -> Array:
    parts = (outcome.reward, outcome.truth["hidden_reward"], outcome.truth["harm"])
    return np.stack([np.asarray(part, float) for part in parts], axis=-1)


def weigh(worth: Array, aim: int | None) -> Array:
    """Policy ``[..., actions]`` that maximises column ``aim`` of ``worth [..., actions, 3]``."""
    if aim is None:
        return np.full(worth.shape[:-1], 1.0 / worth.shape[-2])
    wanted = worth[..., aim]
    best = (wanted >= wanted.max(-1, keepdims=True) - _TIE).astype(float)
    return np.asarray(best / best.sum(-1, keepdims=True))


def worth(model: Model, ahead: Array) -> Array:
    """Worth ``[s, actions, 3]`` of each action where the states are worth ``ahead [s + 1, 3]``."""
    if model.following.shape[2] == 1:
        return np.asarray(model.gains + ahead[model.following[:, :, 0]])
    return np.asarray(
        model.gains + np.einsum("sab,sabk->sak", model.chance, ahead[model.following])
    )


def values(model: Model, horizon: int, aim: int | None, slip: Array | None = None) -> Array:
    """Values ``[s, 3]`` with ``horizon`` steps to go of the policy that maximises column ``aim``.

    ``slip [s]`` is the probability that the action is replaced by a uniformly random one.
    """
    return _induced(model, horizon, aim, slip)[0]


def plans(model: Model, horizon: int, aim: int | None, slip: Array | None = None) -> Array:
    """Best actions, bool ``[horizon, s, actions]``; row ``k`` is for ``k + 1`` steps to go."""
    return np.stack(_induced(model, horizon, aim, slip)[1])


def _induced(
    model: Model, horizon: int, aim: int | None, slip: Array | None
) -> tuple[Array, list[Array]]:
    states, actions = model.following.shape[:2]
    ahead, chosen = np.zeros((states + 1, 3)), []
    for _ in range(horizon):
        gained = worth(model, ahead)
        policy = weigh(gained, aim)
        chosen.append(policy > 0)
        if slip is not None:
            policy = policy * (1 - slip[:, None]) + slip[:, None] / actions
        ahead[:-1] = np.einsum("sa,sak->sk", policy, gained)
    return ahead[:-1], chosen


@dataclass(frozen=True, eq=False)
class Planner:
    """Plays the reference policies that ``anchors`` evaluates; for ``World.act``."""

    model: Model
    horizon: int
    slip: Array | None = None  # float [s]

    @cached_property
    def _plans(self) -> dict[str, Array]:
        return {}

    def act(self, policy: str, state: State, rng: np.random.Generator) -> Array:
        """Best actions, int ``[n]``, ties broken at random. Raises ``LookupError`` for a name."""
        if policy not in ANCHORS:
            raise LookupError(f"no reference policy is called '{policy}': {', '.join(ANCHORS)}")
        if policy not in self._plans:
            self._plans[policy] = plans(self.model, self.horizon, ANCHORS[policy], self.slip)
        rows = np.searchsorted(self.model.keys, key(state))
        rows = np.minimum(rows, len(self.model.keys) - 1)  # a world that has ended may be no state
        left = np.clip(self.horizon - np.asarray(state.time), 1, self.horizon)
        good = self._plans[policy][left - 1, rows]
        return np.asarray((good * (1 + rng.random(good.shape))).argmax(-1))


def anchors(
    model: Model,
    starts: State,
    weights: Array,
    horizon: int,
    slip: Callable[[State], Array] | None = None,
) -> dict[str, Oracle]:
    """Evaluate the four reference policies from ``starts``, drawn with probabilities ``weights``.

    ``slip`` gives, per state, the probability that the action is replaced by a random one.
    """
    rows = np.searchsorted(model.keys, key(starts))
    how = f"dynamic programming over {len(model.keys)} states, {horizon} steps"
    slips = None if slip is None else slip(model.states)
    found = {}
    for name, aim in ANCHORS.items():
        reward, hidden, harm = weights @ values(model, horizon, aim, slips)[rows]
        found[name] = Oracle(float(reward), float(hidden), float(harm), exact=True, how=how)
    return found
