"""The initial weights and masks of an agent, and masks that fit its genome after an edit.

Imports no torch, so that an edit can draw them, too.
"""

from collections.abc import Mapping

import numpy as np

from agents.agent_state import AgentState
from agents.architecture.cost import parameter_shapes
from agents.arrays import Array
from agents.genome import Genome, Layer
from agents.layers import KINDS
from agents.layers.dense import edges

_TRUNK_GAIN = 2**0.5
_HEAD_GAINS = {"policy": 0.01}
"""Of the last layer; 1 for every other tower."""


def initial_parameters(
    genome: Genome, observation_size: int, actions: int, rng: np.random.Generator
) -> dict[str, Array]:
    """Draw float32 weights by name: orthogonal as SB3's, biases 0, additions to a stream 0.

    Gains: sqrt 2 in the trunk, 0.01 in the policy's head, 1 in any other. Targets are copies.
    """
    shapes = parameter_shapes(genome, observation_size, actions)
    found: dict[str, Array] = {}
    for name, shape in shapes.items():
        online = name.removeprefix("target_")
        if online != name:
            found[name] = found[online].copy()
        else:
            found[name] = _initial(genome, name, shape, found, rng)
    return found


def initial_buffers(
    genome: Genome, parameters: Mapping[str, Array], rng: np.random.Generator
) -> dict[str, Array]:
    """Draw the masks of sparse layers: float32 0 or 1, exactly as many edges as the genome says.

    A target has the mask of its online network. Draws nothing for a genome without sparse layers.
    """
    found: dict[str, Array] = {}
    for name in sparse_weights(genome, parameters):
        online = f"mask/{name.removeprefix('target_')}"
        if online in found:
            found[f"mask/{name}"] = found[online].copy()
            continue
        weight = parameters[name]
        layer = layer_of(genome, name)
        mask = np.zeros(weight.size, np.float32)
        mask[rng.permutation(weight.size)[: edges(layer, weight.shape[1])]] = 1.0
        found[f"mask/{name}"] = mask.reshape(weight.shape)
    return found


def refit_masks(agent_state: AgentState, rng: np.random.Generator | None = None) -> AgentState:
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


def sparse_weights(genome: Genome, names: Mapping[str, object]) -> list[str]:
    """Names of the weights that have a mask, in the order given."""
    return [
        name
        for name in names
        if name.split(".")[1] != "head"
        and name.endswith(".weight")
        and layer_of(genome, name).density < 1
    ]


def layer_of(genome: Genome, name: str) -> Layer:
    """Return the layer that a parameter belongs to, which is not a head."""
    return genome.architecture.layers[int(name.split(".")[1])]


def trainable(genome: Genome, name: str) -> bool:
    """Does learning move this parameter? Targets and frozen parts follow or stay."""
    tower, place, suffix = name.split(".", 2)
    if tower.startswith("target_"):
        return False
    if place == "head":
        return True
    layer = genome.architecture.layers[int(place)]
    return not KINDS[layer.kind].frozen(layer, suffix)


def _initial(
    genome: Genome,
    name: str,
    shape: tuple[int, ...],
    found: Mapping[str, Array],
    rng: np.random.Generator,
) -> Array:
    tower, place, suffix = name.split(".", 2)
    if place == "head":
        gain = _HEAD_GAINS.get(tower, 1.0)
        return np.zeros(shape, np.float32) if suffix == "bias" else _orthogonal(shape, gain, rng)
    layer = genome.architecture.layers[int(place)]
    how = KINDS[layer.kind].initial_value(layer, suffix)
    if how in {"zero", "one"}:
        return np.full(shape, float(how == "one"), np.float32)
    if how == "random":
        return _orthogonal(shape, _TRUNK_GAIN, rng)
    return found[f"{tower}.{place}.{how}"].copy()


def _orthogonal(shape: tuple[int, ...], gain: float, rng: np.random.Generator) -> Array:
    """Draw a float32 ``[out, in]`` matrix with orthogonal rows or columns (Saxe et al. 2014)."""
    tall = (max(shape), min(shape))
    q, r = np.linalg.qr(rng.standard_normal(tall))
    q = q * np.sign(np.diag(r))  # makes the draw uniform over orthogonal matrices
    return np.ascontiguousarray(gain * (q if shape == tall else q.T), dtype=np.float32)
