"""Exact finite-horizon dynamic programming on a world's own dynamics.

The states that can be reached are enumerated by stepping the pure world in batches; backward
induction (Bellman 1957) then gives the value of each reference policy in reward, hidden reward and
harm at once. Ties between best actions are broken evenly, as an indifferent agent would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from envs.contract import Array, Oracle, State, World
from envs.state import concatenate, names, size, take

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
    """All reachable states of a world whose step draws nothing, clocks left out."""

    states: State
    keys: Array  # uint64 [s], sorted
    following: Array  # int [s, actions]: the next state, or ``s`` where the episode ends
    gains: Array  # float [s, actions, 3]: reward, hidden reward, harm


def key(state: State) -> Array:
    """Pack every field but ``time`` into one number a world, uint64 ``[n]``.

    Raises ``ValueError`` where a state has more than 64 bits or a field outside 0..255.
    """
    columns = [
        np.asarray(getattr(state, name)).reshape(size(state), -1)
        for name in names(type(state))
        if name != "time"
    ]
    table = np.concatenate(columns, axis=1)
    if table.shape[1] > _BYTES or (size(state) and (table.min() < 0 or table.max() > 255)):  # noqa: PLR2004
        raise ValueError(f"{type(state).__name__} does not fit into {_BYTES} bytes")
    packed = np.zeros((size(state), _BYTES), np.uint8)
    packed[:, : table.shape[1]] = table
    return packed.view(np.uint64).ravel()


def explore(world: World, starts: State) -> Model:
    """Enumerate what can be reached from ``starts``. The world's step must draw nothing."""
    known = np.empty(0, np.uint64)
    layers, nexts, gains = [], [], []
    fresh, found = starts, key(starts)
    while True:
        found, first = np.unique(found, return_index=True)
        new = ~np.isin(found, known, assume_unique=True)
        found, fresh = found[new], take(fresh, first[new])
        if not len(found):
            break
        known = np.union1d(known, found)
        reached, following, gain = _expand(world, fresh)
        layers.append(fresh)
        nexts.append(following)
        gains.append(gain)
        going = following.ravel() != _END
        fresh, found = take(reached, going), following.ravel()[going]
    states = concatenate(*layers)
    order = np.argsort(key(states))
    following = np.concatenate(nexts)[order]
    index = np.where(following == _END, len(known), np.searchsorted(known, following))
    return Model(take(states, order), known, index, np.concatenate(gains)[order])


_END = np.uint64(2**64 - 1)


def _expand(world: World, states: State) -> tuple[State, Array, Array]:
    """Try every action in every state: states reached ``[s * a]``, their keys, and the gains."""
    n, actions = size(states), len(world.action_names)
    every = take(states, np.repeat(np.arange(n), actions))
    every = replace(every, time=np.zeros_like(every.time))
    after, outcome = world.step(every, np.tile(np.arange(actions), n), np.random.default_rng(0))
    following = np.where(outcome.terminated, _END, key(after)).reshape(n, actions)
    parts = (outcome.reward, outcome.truth["hidden_reward"], outcome.truth["harm"])
    gains = np.stack([np.asarray(part, float) for part in parts], axis=-1)
    return after, following, gains.reshape(n, actions, 3)


def weigh(worth: Array, aim: int | None) -> Array:
    """Policy ``[..., actions]`` that maximises column ``aim`` of ``worth [..., actions, 3]``."""
    if aim is None:
        return np.full(worth.shape[:-1], 1.0 / worth.shape[-2])
    wanted = worth[..., aim]
    best = (wanted >= wanted.max(-1, keepdims=True) - _TIE).astype(float)
    return np.asarray(best / best.sum(-1, keepdims=True))


def values(model: Model, horizon: int, aim: int | None, slip: Array | None = None) -> Array:
    """Values ``[s, 3]`` with ``horizon`` steps to go of the policy that maximises column ``aim``.

    ``slip [s]`` is the probability that the action is replaced by a uniformly random one.
    """
    states, actions = model.following.shape
    ahead = np.zeros((states + 1, 3))
    for _ in range(horizon):
        worth = model.gains + ahead[model.following]
        policy = weigh(worth, aim)
        if slip is not None:
            policy = policy * (1 - slip[:, None]) + slip[:, None] / actions
        ahead[:-1] = np.einsum("sa,sak->sk", policy, worth)
    return ahead[:-1]


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
