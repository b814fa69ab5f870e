"""Hashes, sizes and copies of agent states, and what an edit did to the optimiser's state."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.arrays import Array
from agents.contract import AgentState, OptimiserMoment


def optimiser_change(before: AgentState, after: AgentState) -> Mapping[str, Any]:
    """What became of the optimiser's state.

    How many parameters had some before and have some now, how many of these are in both
    (``kept``), of how many it is the same to the bit (``carried``), and the hash of all of it.
    """
    both = set(before.moments) & set(after.moments)
    return {
        "before": len(before.moments),
        "after": len(after.moments),
        "kept": len(both),
        "carried": sum(_same(before.moments[name], after.moments[name]) for name in both),
        "hash_before": moments_hash(before),
        "hash_after": moments_hash(after),
    }


def _same(one: OptimiserMoment, other: OptimiserMoment) -> bool:
    return (
        one.step == other.step
        and np.array_equal(one.first, other.first)
        and np.array_equal(one.second, other.second)
    )


def size(agent_state: AgentState) -> int:
    """Values it has learned or may learn; of a table, how many it holds."""
    return sum(each.size for each in agent_state.parameters.values())


def copied(agent_state: AgentState) -> AgentState:
    """A copy that shares no array: writing into it changes nothing that is kept."""
    moments = {
        name: OptimiserMoment(each.first.copy(), each.second.copy(), each.step)
        for name, each in agent_state.moments.items()
    }
    parameters = {name: each.copy() for name, each in agent_state.parameters.items()}
    buffers = {name: each.copy() for name, each in agent_state.buffers.items()}
    values = {name: each.copy() for name, each in agent_state.values.items()}
    return AgentState(agent_state.genome, parameters, moments, buffers, values)


def weights_hash(agent_state: AgentState) -> str:
    """SHA-256 over names, shapes, types and bytes of all parameters, buffers and values."""
    values = {f"values/{name}": each for name, each in agent_state.values.items()}
    return _hash({**agent_state.parameters, **agent_state.buffers, **values})


def moments_hash(agent_state: AgentState) -> str:
    """SHA-256 over the optimiser's state, by name of the parameter."""
    arrays: dict[str, Array] = {}
    for name, each in agent_state.moments.items():
        step = np.array(each.step, np.float64)
        arrays |= {f"{name} 1": each.first, f"{name} 2": each.second, f"{name} n": step}
    return _hash(arrays)


def same_agent_state(one: AgentState, other: AgentState) -> bool:
    """Are genome, weights, buffers and optimiser state equal to the bit? A third of two hashes."""
    return (
        one.genome == other.genome
        and _alike(one.parameters, other.parameters)
        and _alike(one.buffers, other.buffers)
        and _alike(one.values, other.values)
        and one.moments.keys() == other.moments.keys()
        and all(_alike(vars(each), vars(other.moments[k])) for k, each in one.moments.items())
    )


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        _bits(np.asarray(value)) == _bits(np.asarray(other[name])) for name, value in one.items()
    )


def _bits(array: Array) -> tuple[str, tuple[int, ...], bytes]:
    return array.dtype.str, array.shape, array.tobytes()


def _hash(arrays: Mapping[str, Array]) -> str:
    found = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {np.shape(arrays[name])} {array.dtype}\n".encode())
        found.update(array.tobytes())
    return found.hexdigest()
