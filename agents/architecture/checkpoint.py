"""Agent state <-> JSON and safetensors: data only, so opening an agent's file runs no code.

The record (JSON) holds the genome, the sizes, Adam's step counts, and the tensors' size and hash;
the tensors are ``parameter/NAME``, ``first/NAME``, ``second/NAME`` and ``buffer/NAME``, float32,
and ``value/NAME``. Of a table they are its rows: observations, values and visits, and the
exploration it acts with.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from agents.architecture.cost import sizes
from agents.architecture.validity import genome_problems, state_problems
from agents.arrays import Array
from agents.contract import AgentState, OptimiserMoment
from agents.genome import Genome

SCHEMA = 1
_KEYS = {
    "schema": int,
    "genome": dict,
    "observation_size": int,
    "actions": int,
    "moment_steps": dict,
    "bytes": int,
    "sha256": str,
}


def to_bytes(agent_state: AgentState) -> tuple[dict[str, Any], bytes]:
    """Return (JSON record, safetensors bytes); ``from_bytes`` takes them back."""
    tensors = {f"parameter/{name}": each for name, each in agent_state.parameters.items()}
    tensors |= {f"first/{name}": each.first for name, each in agent_state.moments.items()}
    tensors |= {f"second/{name}": each.second for name, each in agent_state.moments.items()}
    tensors |= {f"buffer/{name}": each for name, each in agent_state.buffers.items()}
    tensors |= {f"value/{name}": each for name, each in agent_state.values.items()}
    data = pack(tensors)
    return _record(agent_state, data), data


def pack(arrays: Mapping[str, Array]) -> bytes:
    """Return any arrays by name as safetensors bytes, sorted by name."""
    data: bytes = save({name: np.asarray(arrays[name], order="C") for name in sorted(arrays)})
    return data


def unpack(data: bytes) -> dict[str, Array]:
    """Return what ``pack`` packed; ``ValueError`` where the bytes are damaged."""
    try:
        arrays: dict[str, Array] = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ValueError(f"damaged checkpoint: {error}") from error
    return arrays


def _record(agent_state: AgentState, data: bytes) -> dict[str, Any]:
    inputs, actions = sizes(agent_state)
    return {
        "schema": SCHEMA,
        "genome": agent_state.genome.to_json(),
        "observation_size": inputs,
        "actions": actions,
        "moment_steps": {
            name: float(each.step) for name, each in sorted(agent_state.moments.items())
        },
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def from_bytes(record: Mapping[str, Any], data: bytes) -> AgentState:
    """Return the agent state whose ``to_bytes`` gave ``record`` and ``data``.

    Raises ``ValueError`` naming everything that is wrong: truncated or altered bytes, names or
    shapes the genome does not have, non-finite values, a genome that cannot be built.
    """
    _check_record(record)
    _check_bytes(record, data)
    genome = _genome(record)
    groups = _groups(unpack(data))
    moments = _moments(groups, record["moment_steps"])
    agent_state = AgentState(
        genome, groups["parameter"], moments, groups["buffer"], groups["value"]
    )
    problems = state_problems(agent_state, record["observation_size"], record["actions"])
    problems += tuple(_wrong_dtypes(groups))
    if problems:
        raise ValueError(f"damaged checkpoint: {'; '.join(problems)}")
    return agent_state


def _check_record(record: Mapping[str, Any]) -> None:
    if not isinstance(record, Mapping) or record.get("schema") != SCHEMA:
        raise ValueError(f"not a checkpoint of this program (schema {SCHEMA})")
    wrong = [name for name, kind in _KEYS.items() if type(record.get(name)) is not kind]
    if wrong:
        raise ValueError(f"damaged checkpoint: missing or of the wrong kind: {', '.join(wrong)}")
    if record["observation_size"] < 1 or record["actions"] < 1:
        raise ValueError("damaged checkpoint: observation_size and actions must be at least 1")


def _check_bytes(record: Mapping[str, Any], data: bytes) -> None:
    if len(data) != record["bytes"]:
        raise ValueError(f"damaged checkpoint: {len(data)} bytes, {record['bytes']} were written")
    if hashlib.sha256(data).hexdigest() != record["sha256"]:
        raise ValueError("damaged checkpoint: the tensors are not those that were written")


def _genome(record: Mapping[str, Any]) -> Genome:
    try:
        genome = Genome.from_json(record["genome"])
        problems = genome_problems(genome)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"damaged checkpoint: unreadable genome ({error!r})") from error
    if problems:
        raise ValueError(f"damaged checkpoint: {'; '.join(problems)}")
    return genome


def _groups(tensors: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
    groups: dict[str, dict[str, Array]] = {
        "parameter": {},
        "first": {},
        "second": {},
        "buffer": {},
        "value": {},
    }
    for key, value in tensors.items():
        group, _, name = key.partition("/")
        if group not in groups:
            raise ValueError(f"damaged checkpoint: unknown tensor {key}")
        groups[group][name] = value
    return groups


def _moments(
    groups: Mapping[str, Mapping[str, Array]], steps: Mapping[str, float]
) -> dict[str, OptimiserMoment]:
    first, second = groups["first"], groups["second"]
    if not set(first) == set(second) == set(steps):
        raise ValueError("damaged checkpoint: first and second moments and steps do not match")
    return {name: OptimiserMoment(first[name], second[name], steps[name]) for name in first}


def _wrong_dtypes(groups: Mapping[str, Mapping[str, Array]]) -> list[str]:
    return [
        f"{group} {name} is {value.dtype}, not float32"
        for group, members in groups.items()
        for name, value in members.items()
        if value.dtype != np.float32 and group != "value"
    ]
