"""Exact empowerment of a known world: the capacity from n actions to the state they lead to, bits.

Klyubin, Polani and Nehaniv 2005: ``E_n(s) = max_p I(A^n; S_{t+n} | s)`` over distributions of
sequences of ``n`` actions, chosen before the first of them (open loop). Where nothing is left to
chance that is ``log2`` of the number of states in which ``n`` actions can end; else it is the
capacity of a channel with a row for each sequence, between certified bounds.

A model is float ``[states, actions, states]``, every row a distribution.
"""

import numpy as np

from agents.arrays import Array
from agents.drives.channel_capacity import Bits, Known, capacities

_DECIMALS = 12  # sequences whose outcomes agree to this are one


def reach(model: Array, n: int, sees: Array | None = None) -> Array:
    """Number of states in which ``n`` actions can end, int ``[states]``.

    ``sees`` (int ``[states]``) is the observation of each state; then observations are counted.
    """
    near = (model > 0).any(1)
    far = np.eye(len(model), dtype=bool)
    for _ in range(n):
        far = far @ near
    looks = np.eye(len(model), dtype=bool) if sees is None else _one_hot(sees)
    return np.asarray((far @ looks).sum(-1))


def outcomes(model: Array, state: int, n: int) -> Array:
    """Where sequences of ``n`` actions lead from ``state``: the distinct rows of its channel.

    At most ``actions ** n`` rows; sequences with equal outcomes so far are merged.
    """
    states, actions, _ = model.shape
    table = model.reshape(states, actions * states)
    rows: Array = np.zeros((1, states))
    rows[0, state] = 1.0
    for _ in range(n):
        rows = (rows @ table).reshape(-1, states)
        _, first = np.unique(np.round(rows, _DECIMALS), axis=0, return_index=True)
        rows = rows[np.sort(first)]
    return rows


def empowerment(
    model: Array,
    n: int,
    *,
    states: Array | None = None,
    sees: Array | None = None,
    gap: float = 1e-6,
    known: Known | None = None,
) -> Bits:
    """Bits of ``states`` (all of them by default), between bounds at most about ``gap`` apart.

    ``sees``: as in ``reach``, what the agent observes of the final state. ``known``: as in
    ``channel_capacity.capacities``.
    """
    if n < 1:
        raise ValueError(f"empowerment looks at least 1 action ahead, not {n}")
    asked = np.arange(len(model)) if states is None else np.asarray(states)
    if ((model == 0) | (model == 1)).all():
        bits = np.log2(reach(model, n, sees))[asked]
        return Bits(bits, bits.copy())
    channels = [outcomes(model, int(state), n) for state in asked]
    if sees is not None:
        channels = [channel @ _one_hot(sees) for channel in channels]
    return capacities(channels, gap, known)


def _one_hot(sees: Array) -> Array:
    return np.asarray(np.asarray(sees)[:, None] == np.unique(sees))
