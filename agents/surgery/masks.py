"""Keeps the number of edges of sparse layers exactly as in the genome after any edit."""

import numpy as np

from agents.architecture.initial import layer_of, sparse_weights
from agents.arrays import Array
from agents.contract import AgentState
from agents.layers.dense import edges


def refit(agent_state: AgentState, rng: np.random.Generator | None = None) -> AgentState:
    """Return the agent state with masks of the genome's size, weights 0 where there is no edge.

    Too many edges: those of the smallest weights are removed. Too few: new ones of weight 0 are
    added, at places drawn from ``rng``, or the first ones without it. Where the count is right, and
    without sparse layers, nothing changes. A target network has its online network's mask.
    """
    names = sparse_weights(agent_state.genome, agent_state.parameters)
    stale = [name for name in agent_state.buffers if name.startswith("mask/")]
    if not names and not stale:
        return agent_state
    parameters = dict(agent_state.parameters)
    buffers = {name: each for name, each in agent_state.buffers.items() if name not in stale}
    for name in names:
        online = f"mask/{name.removeprefix('target_')}"
        weight = parameters[name]
        mask = buffers.get(online) if online != f"mask/{name}" else None
        if mask is None:
            wanted = edges(layer_of(agent_state.genome, name), weight.shape[1])
            old = agent_state.buffers.get(f"mask/{name}", np.ones(weight.shape, np.float32))
            mask = _fitted(old, weight, wanted, rng)
        buffers[f"mask/{name}"] = mask
        parameters[name] = weight * mask.astype(weight.dtype)
    return AgentState(agent_state.genome, parameters, agent_state.moments, buffers)


def _fitted(mask: Array, weight: Array, wanted: int, rng: np.random.Generator | None) -> Array:
    new = mask.copy()
    there = np.flatnonzero(mask)
    if len(there) > wanted:
        order = np.argsort(np.abs(weight.flat[there]), kind="stable")
        new.flat[there[order[: len(there) - wanted]]] = 0.0
    elif len(there) < wanted:
        free = np.flatnonzero(mask == 0)
        chosen = rng.permutation(free) if rng is not None else free
        new.flat[chosen[: wanted - len(there)]] = 1.0
    return new
