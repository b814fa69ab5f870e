"""Edits of whole layers: insert one, remove one, change its kind.

As in ``agents.surgery.weights``, every function takes an agent state and returns a new one. A
target network gets the values of its online network.
"""

from collections.abc import Callable, Mapping

import numpy as np

from agents.architecture.cost import layer_inputs, tower_inputs
from agents.architecture.initial import refit_masks
from agents.arrays import Array
from agents.contract import AgentState, OptimiserMoment
from agents.genome import Genome, Layer
from agents.layers import KINDS
from agents.models.orthogonal import orthogonal
from agents.surgery import weights

Shapes = Mapping[str, tuple[int, ...]]
Values = Callable[[str, Shapes], Mapping[str, Array]]
"""(tower, suffix -> shape) -> values by suffix, for those without default initial values."""


def default_values(tower: str, shapes: Shapes) -> Mapping[str, Array]:
    """No values but the default initial ones."""
    del tower, shapes
    return {}


def insert_layer(
    agent_state: AgentState,
    index: int,
    layer: Layer,
    rng: np.random.Generator,
    values: Values = default_values,
) -> AgentState:
    """Put a layer in; it becomes layer ``index`` of every tower.

    Its parameters have the initial values of their kind (additions to the stream are 0), unless
    ``values`` gives others, and have no optimiser state: Adam starts them at step 0.
    """
    genome = weights.with_layer(agent_state.genome, index, layer)
    moved = _renumber(agent_state, lambda i: i + 1 if i >= index else i)
    parameters = dict(moved.parameters)
    for tower, both in weights.pairs(genome):
        dtype = parameters[f"{tower}.head.weight"].dtype
        fresh = _initial(genome, index, tower_inputs(agent_state, tower), rng)
        fresh |= values(tower, {suffix: each.shape for suffix, each in fresh.items()})
        for each in both:
            parameters |= {f"{each}.{index}.{k}": v.astype(dtype) for k, v in fresh.items()}
    return refit_masks(AgentState(genome, parameters, moved.moments, moved.buffers), rng)


def remove_layer(agent_state: AgentState, index: int) -> AgentState:
    """Take layer ``index`` out of every tower: the inverse of ``insert_layer``."""
    genome = weights.without_layer(agent_state.genome, index)
    rest = _without(agent_state, index)
    return refit_masks(_with_genome(_renumber(rest, lambda i: i - 1 if i > index else i), genome))


def replace_layer(
    agent_state: AgentState,
    index: int,
    layer: Layer,
    parameters: Mapping[str, Array],
    moments: Mapping[str, OptimiserMoment],
) -> AgentState:
    """Make layer ``index`` another: ``parameters`` and ``moments`` by full name, targets too."""
    rest = _without(agent_state, index)
    genome = weights.replaced(agent_state.genome, index, layer)
    whole = AgentState(
        genome, {**rest.parameters, **parameters}, {**rest.moments, **moments}, rest.buffers
    )
    return refit_masks(whole)


def suffixes(agent_state: AgentState, tower: str, index: int) -> dict[str, Array]:
    """Parameters of one layer of one tower, by suffix."""
    start = f"{tower}.{index}."
    return {
        k.removeprefix(start): v for k, v in agent_state.parameters.items() if k.startswith(start)
    }


def insert_block(
    agent_state: AgentState, after: int, units: int, rng: np.random.Generator
) -> AgentState:
    """Put a residual layer behind layer ``after`` in every tower. Changes no output.

    ``x + W2 f(W1 x + b1) + b2`` with ``W2 = 0``, ``b1 = b2 = 0``.
    """
    return insert_layer(agent_state, after + 1, Layer("residual", units), rng)


def _initial(genome: Genome, index: int, inputs: int, rng: np.random.Generator) -> dict[str, Array]:
    layer, given = list(layer_inputs(genome.architecture, inputs))[index]
    kind, found = KINDS[layer.kind], dict[str, Array]()
    for suffix, shape in kind.shapes(layer, given).items():
        how = kind.initial_value(layer, suffix)
        if how == "random":
            found[suffix] = orthogonal(rng, *shape)
        elif how in {"zero", "one"}:
            found[suffix] = np.full(shape, float(how == "one"))
        else:
            found[suffix] = found[how].copy()
    return found


def _without(agent_state: AgentState, index: int) -> AgentState:
    def kept(name: str) -> bool:
        tower, place = name.rpartition("/")[2].split(".")[:2]
        del tower
        return place != str(index)

    return AgentState(
        agent_state.genome,
        {name: each for name, each in agent_state.parameters.items() if kept(name)},
        {name: each for name, each in agent_state.moments.items() if kept(name)},
        {name: each for name, each in agent_state.buffers.items() if kept(name)},
    )


def _renumber(agent_state: AgentState, place: Callable[[int], int]) -> AgentState:
    """Rename the arrays of every layer ``i`` to those of layer ``place(i)``; the genome stays."""

    def renamed(name: str) -> str:
        kind, slash, path = name.rpartition("/")
        tower, layer, *rest = path.split(".")
        if layer != "head":
            layer = str(place(int(layer)))
        return kind + slash + ".".join([tower, layer, *rest])

    return AgentState(
        agent_state.genome,
        {renamed(name): each for name, each in agent_state.parameters.items()},
        {renamed(name): each for name, each in agent_state.moments.items()},
        {renamed(name): each for name, each in agent_state.buffers.items()},
    )


def _with_genome(agent_state: AgentState, genome: Genome) -> AgentState:
    return AgentState(genome, agent_state.parameters, agent_state.moments, agent_state.buffers)
