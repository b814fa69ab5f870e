"""POWER: how well a state serves goals in general, after Turner et al. 2021.

``POWER_D(s, g) = (1 - g) / g * E_{R ~ D}[V*_R(s) - R(s)]`` ("Optimal policies tend to seek power"):
the worth of a state to an optimal agent, without the state's own reward, averaged over reward
functions. Here ``D`` draws the reward of every state uniformly from [0, 1]; ``V*`` is by value
iteration, of many reward functions at once. All ends of episodes are one more state, which is never
left and has a reward of its own, as a terminal state has in the paper; clocks are left out, so
nothing is ever cut short.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from agents.arrays import Array
from envs.contract import World
from envs.planning.exact import Model, key
from sandbox.measuring.state_space import bounded

_STARTS = 4096
"""Resets drawn to find all first states."""
_MOST = 20_000
"""States of the largest world that is solved."""
_NUMBERS = 2**22
"""Action values that are in memory at once."""


class StatePower(NamedTuple):
    """Of every state of a model, and last of the end."""

    mean: Array  # float [states + 1]
    error: Array  # float [states + 1]: standard error of that, for rewards are drawn


def worths(model: Model, discount: float, rewards: Array, tolerance: float = 1e-6) -> Array:
    """``V*_R`` of every state and the end, float ``[states + 1, n]``, for ``n`` reward functions.

    ``rewards`` are of being in a state, ``[states + 1, n]``. Iterated until no worth changes by
    more than ``tolerance``: then ``(1 - discount) / discount`` of a worth is as exact as that.
    """
    table, (states, actions) = _table(model), model.following.shape[:2]
    worth: Array = rewards / (1 - discount)  # of staying: exact for the end
    change = np.inf
    while change > tolerance:
        best = (table @ worth).reshape(states, actions, -1).max(1)
        better = rewards[:-1] + discount * best
        change = float(np.abs(better - worth[:-1]).max(initial=0.0))
        worth[:-1] = better
    return worth


def power(
    model: Model, discount: float, n: int, rng: np.random.Generator, tolerance: float = 1e-6
) -> StatePower:
    """POWER of every state, from ``n`` reward functions that ``rng`` draws.

    The same reward functions serve all states, so differences are surer than ``error`` says.
    Raises ``ValueError`` for a ``discount`` that is not between 0 and 1, or fewer than 2 functions.
    """
    if not 0 < discount < 1 or n < 2:  # noqa: PLR2004  (one gives no standard error)
        raise ValueError(f"discount is between 0 and 1 and n at least 2, not {discount} and {n}")
    states, actions = model.following.shape[:2]
    found = []
    for size in _parts(n, max(_NUMBERS // (states * actions), 1)):
        rewards = rng.random((states + 1, size))
        beyond = worths(model, discount, rewards, tolerance) - rewards
        found.append(beyond * (1 - discount) / discount)
    each = np.concatenate(found, axis=1)
    return StatePower(each.mean(1), each.std(1, ddof=1) / n**0.5)


@cache
def world_model(world: World) -> Model:
    """All states of a small world. Raises ``ValueError`` for a large one, or several agents."""
    if len(world.agents) > 1:
        raise ValueError("POWER is of one agent; this world has several")
    starts = world.reset(np.random.default_rng(0), _STARTS)  # no trial's stream: all are met
    try:
        return bounded(world, starts, _MOST)
    except LookupError as error:
        raise ValueError(str(error)) from error


@cache
def world_power(world: World, discount: float, n: int) -> StatePower:
    """POWER of every state of ``world_model``, the same for all trials."""
    found = power(world_model(world), discount, n, np.random.default_rng(0))
    for each in found:
        each.flags.writeable = False
    return found


def rows(world: World, states: Any) -> Array:
    """Where these states are in ``world_model``, int ``[n]``; the end where an episode is over.

    A last state of an episode is no state of the model unless it is reached without an end, too.
    """
    known, wanted = world_model(world).keys, key(states)
    found = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[found] == wanted, found, len(known))


def _table(model: Model) -> Any:
    """Where a state and action lead, sparse ``[states * actions, states + 1]``."""
    states, actions, branches = model.following.shape
    rows = np.repeat(np.arange(states * actions), branches)
    entries = (model.chance.ravel(), (rows, model.following.ravel()))
    table = sparse.csr_array(entries, shape=(states * actions, states + 1))
    table.eliminate_zeros()
    return table


def _parts(n: int, most: int) -> Iterator[int]:
    while n > 0:
        yield min(n, most)
        n -= most
