"""States as values: take, put and compare rows of frozen dataclasses of arrays."""

from typing import Any

import numpy as np

from envs.arrays import Array
from envs.contract import State


def names(kind: Any) -> tuple[str, ...]:
    """Names of the arrays of one kind of state, in order."""
    return tuple(kind.__dataclass_fields__)


def size(state: State) -> int:
    """Return the number of worlds in a state."""
    return len(getattr(state, names(type(state))[0]))


def take(state: State, rows: Array) -> State:
    """Return the worlds ``rows`` (int ``[k]`` or bool ``[n]``) as a state of their own."""
    kind = type(state)
    return kind(*[getattr(state, name)[rows] for name in names(kind)])


def put(state: State, rows: Array, part: State) -> State:
    """Return ``state`` with the worlds ``rows`` replaced by those of ``part``; both stay as is."""
    kind = type(state)
    replaced = []
    for name in names(kind):
        array = getattr(state, name).copy()
        array[rows] = getattr(part, name)
        replaced.append(array)
    return kind(*replaced)


def concatenate(*parts: State) -> State:
    """Join several states of one kind along the batch axis."""
    kind = type(parts[0])
    return kind(*[np.concatenate([getattr(p, name) for p in parts]) for name in names(kind)])


def copy(state: State) -> State:
    """Return a state that shares no memory with ``state``."""
    return type(state)(*[getattr(state, name).copy() for name in names(type(state))])


def equal(one: State, other: State) -> bool:
    """Are two states the same value (dtypes and shapes included)?"""
    if type(one) is not type(other):
        return False
    pairs = [(getattr(one, name), getattr(other, name)) for name in names(type(one))]
    return all(a.dtype == b.dtype and a.shape == b.shape and (a == b).all() for a, b in pairs)


def differing(one: State, other: State) -> Array:
    """Which worlds of two states of one kind are not the same, bool ``[n]``."""
    differs = np.zeros(size(one), bool)
    for name in names(type(one)):
        mine, theirs = getattr(one, name), getattr(other, name)
        differs |= (mine != theirs).reshape(len(differs), -1).any(axis=1)
    return differs
