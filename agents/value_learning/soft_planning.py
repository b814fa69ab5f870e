"""Soft-optimal play of a known world, where it leads, and how well it is predicted. Float64."""

from typing import NamedTuple

import numpy as np

from agents.arrays import Array


class Soft(NamedTuple):
    """Maximum causal entropy play, a table for every step of the episode."""

    values: Array  # [horizon, states]: log-sum-exp over actions of q
    policy: Array  # [horizon, states, actions]: exp(q - value)


def soft_values(transition: Array, rewards: Array, horizon: int, discount: float = 1.0) -> Soft:
    """Ziebart 2010: ``Q_t = r + g T V_{t+1}``, ``V_t = log sum_a exp Q_t``, ``V_horizon = 0``.

    ``rewards`` is ``[states]`` or ``[states, actions]``, for each of ``horizon`` steps; the state
    that the last step arrives in has none.
    """
    states, actions = transition.shape[:2]
    table = np.broadcast_to(rewards if rewards.ndim > 1 else rewards[:, None], (states, actions))
    found = Soft(np.empty((horizon, states)), np.empty((horizon, states, actions)))
    onwards = np.zeros(states)
    for t in reversed(range(horizon)):
        q = table + discount * transition @ onwards
        top = q.max(axis=1, keepdims=True)
        onwards = found.values[t] = top[:, 0] + np.log(np.exp(q - top).sum(axis=1))
        found.policy[t] = np.exp(q - onwards[:, None])
    return found


def occupancies(transition: Array, start: Array, policy: Array, discount: float = 1.0) -> Array:
    """``discount**t`` times the probability of each state, ``[horizon + 1, states]``.

    The last row is where the last step arrives.
    """
    found = np.empty((len(policy) + 1, len(start)))
    found[0] = start
    for t, step in enumerate(policy):
        found[t + 1] = discount * np.einsum("s,sa,sat->t", found[t], step, transition)
    return found


def excess_visits(transition: Array, done: Array, policy: Array, discount: float = 1.0) -> Array:
    """Visits of each state, ``[states]``, that what was done leads to beyond what ``policy`` does.

    ``done`` counts actions, ``[horizon, states, actions]``, weighed by ``discount**t``. This is the
    gradient by a table of rewards of ``sum done * log policy`` where the policy is soft-optimal
    for it, at the ``horizon`` steps that are rewarded.
    """
    ahead = np.zeros(len(transition))
    found = np.zeros(len(transition))
    for acted, play in zip(done, policy, strict=True):
        found += ahead
        surplus = acted - acted.sum(axis=1, keepdims=True) * play
        ahead = discount * np.einsum("sa,sat->t", surplus + ahead[:, None] * play, transition)
    return found
