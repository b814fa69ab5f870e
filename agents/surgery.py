"""Moves weights and optimiser state from one genome to the next.

Every function takes a mind and returns a new one; arrays that do not change are shared. A unit of a
layer lives in several parameters at once, along one axis of each: its *seats*. Growing appends to
every seat, dropping deletes from it, resetting overwrites it, and Adam's moments do the same.

A new or reset unit reads (its incoming weights are orthogonal) but is not yet heard (its outgoing
weights are zero), so no output changes, whatever the activation. Its outgoing weights have a
gradient at once, its incoming weights from the second step on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from agents.contract import Array, Mind, Moment, RefusedEditError
from agents.genome import TOWERS, Architecture, Genome, Layer
from agents.orthogonal import orthogonal

# --- the genome --------------------------------------------------------------------------------


def the_layer(genome: Genome, index: int) -> Layer:
    """Return layer ``index``. Raises ``RefusedEditError`` where there is none."""
    layers = genome.architecture.layers
    if type(index) is not int:
        raise RefusedEditError(f"a layer is a whole number, not {index!r}")
    if not 0 <= index < len(layers):
        there = f"there are {len(layers)}, from 0" if layers else "this agent has no layers"
        raise RefusedEditError(f"there is no layer {index}: {there}")
    return layers[index]


def a_count(units: int) -> int:
    """Return ``units``. Raises ``RefusedEditError`` unless it is a whole number of at least 1."""
    if type(units) is not int or units < 1:  # a bool is an int to isinstance
        raise RefusedEditError(f"units is a whole number of at least 1, not {units!r}")
    return units


def with_units(genome: Genome, index: int, units: int) -> Genome:
    """Return the genome with ``units`` units in layer ``index``."""
    layers = list(genome.architecture.layers)
    layers[index] = replace(layers[index], units=units)
    return _with_layers(genome, layers)


def with_block(genome: Genome, after: int, units: int) -> Genome:
    """Return the genome with a residual layer of ``units`` hidden units behind layer ``after``."""
    layers = list(genome.architecture.layers)
    layers.insert(after + 1, Layer("residual", units))
    return _with_layers(genome, layers)


def without_block(genome: Genome, index: int) -> Genome:
    """Return the genome without residual layer ``index``."""
    layers = list(genome.architecture.layers)
    del layers[index]
    return _with_layers(genome, layers)


def _with_layers(genome: Genome, layers: Sequence[Layer]) -> Genome:
    architecture = replace(genome.architecture, layers=tuple(layers))
    return replace(genome, architecture=architecture)


# --- where a unit lives ------------------------------------------------------------------------


@dataclass(frozen=True)
class Seat:
    """One parameter that holds a layer's units, along ``axis``.

    ``reads``: incoming weights. ``heard``: outgoing weights of the parameter's layer. ``blank``:
    zero in a new unit (its bias, and what later residual blocks add to it).
    """

    name: str
    axis: int
    role: Literal["reads", "heard", "blank"]


def seats(architecture: Architecture, index: int, tower: str) -> tuple[Seat, ...]:
    """Where the units of layer ``index`` live in one tower."""
    here = f"{tower}.{index}"
    if architecture.layers[index].kind == "residual":
        return (
            Seat(f"{here}.inner.weight", 0, "reads"),
            Seat(f"{here}.inner.bias", 0, "blank"),
            Seat(f"{here}.outer.weight", 1, "heard"),
        )
    found = [Seat(f"{here}.weight", 0, "reads"), Seat(f"{here}.bias", 0, "blank")]
    next_dense = f"{tower}.head"
    for later in range(index + 1, len(architecture.layers)):
        if architecture.layers[later].kind == "dense":
            next_dense = f"{tower}.{later}"
            break
        block = f"{tower}.{later}"  # a residual block reads and writes the stream of this layer
        found += [
            Seat(f"{block}.inner.weight", 1, "heard"),
            Seat(f"{block}.outer.weight", 0, "blank"),
            Seat(f"{block}.outer.bias", 0, "blank"),
        ]
    return (*found, Seat(f"{next_dense}.weight", 1, "heard"))


def outgoing_norms(mind: Mind, index: int, tower: str) -> Array:
    """Length of each unit's outgoing weights, float64 ``[units]``: 0 = nobody hears it."""
    total = np.zeros(mind.genome.architecture.layers[index].units)
    for seat in seats(mind.genome.architecture, index, tower):
        if seat.role == "heard":
            total += np.square(mind.parameters[seat.name], dtype=np.float64).sum(axis=0)
    return np.sqrt(total)


# --- units -------------------------------------------------------------------------------------


def grow_units(mind: Mind, index: int, units: int, rng: np.random.Generator) -> Mind:
    """Add ``units`` unheard units to layer ``index`` of both towers. Changes no output.

    Adam's first moment is padded with 0, the second with its mean over the tensor: padding both
    with 0 while the tensor's step count goes on would make the first step of a new weight up to
    3.2 learning rates long.
    """
    genome = with_units(mind.genome, index, mind.genome.architecture.layers[index].units + units)
    parameters, moments = dict(mind.parameters), dict(mind.moments)
    for seat in _both(mind, index):
        old = parameters[seat.name]
        new = _fresh(seat, old, units, rng)
        parameters[seat.name] = np.concatenate([old, new], seat.axis)
        if seat.name in moments:
            moments[seat.name] = _longer(moments[seat.name], new.shape, seat.axis)
    return Mind(genome, parameters, moments)


def drop_units(
    mind: Mind,
    index: int,
    dropped: Mapping[str, Array],
    means: Mapping[str, Array] | None = None,
) -> Mind:
    """Delete units of layer ``index``, weights and moments alike: ``dropped[tower]`` int ``[k]``.

    ``means[tower]``, float ``[units]``, are mean activations; given them, what the dropped units
    sent on average moves into the biases of those who heard it. That is exact on average only.
    """
    (count,) = {len(each) for each in dropped.values()}
    genome = with_units(mind.genome, index, mind.genome.architecture.layers[index].units - count)
    parameters, moments = dict(mind.parameters), dict(mind.moments)
    for tower in TOWERS:
        for seat in seats(mind.genome.architecture, index, tower):
            if means is not None and seat.role == "heard":
                gone = np.take(parameters[seat.name], dropped[tower], seat.axis)
                bias = seat.name.removesuffix("weight") + "bias"
                sent = gone @ means[tower][dropped[tower]]
                parameters[bias] = (parameters[bias] + sent).astype(gone.dtype)
            parameters[seat.name] = np.delete(parameters[seat.name], dropped[tower], seat.axis)
            if seat.name in moments:
                moments[seat.name] = _shorter(moments[seat.name], dropped[tower], seat.axis)
    return Mind(genome, parameters, moments)


def reset_units(mind: Mind, index: int, tower: str, units: Array, rng: np.random.Generator) -> Mind:
    """Make units, int ``[k]``, of one tower like newly grown ones: they read anew and are unheard.

    Their moments become zero, as ReDo does (Sokar et al. 2023). The tensor's step count is shared
    with units that stay, so it goes on, and the first step of a reset weight may be 3.2 times the
    learning rate.
    """
    parameters, moments = dict(mind.parameters), dict(mind.moments)
    for seat in seats(mind.genome.architecture, index, tower):
        place = (slice(None),) * seat.axis + (units,)
        fresh = parameters[seat.name].copy()
        fresh[place] = _fresh(seat, fresh, len(units), rng)
        parameters[seat.name] = fresh
        if seat.name in moments:
            old = moments[seat.name]
            first, second = old.first.copy(), old.second.copy()
            first[place] = second[place] = 0.0
            moments[seat.name] = replace(old, first=first, second=second)
    return Mind(mind.genome, parameters, moments)


def _both(mind: Mind, index: int) -> Iterator[Seat]:
    for tower in TOWERS:
        yield from seats(mind.genome.architecture, index, tower)


def _fresh(seat: Seat, old: Array, units: int, rng: np.random.Generator) -> Array:
    """What ``units`` new units hold at this seat."""
    if seat.role == "reads":
        return orthogonal(rng, units, old.shape[1]).astype(old.dtype)
    shape = list(old.shape)
    shape[seat.axis] = units
    return np.zeros(shape, old.dtype)


def _longer(moment: Moment, shape: tuple[int, ...], axis: int) -> Moment:
    zeros = np.zeros(shape, moment.first.dtype)
    means = np.full(shape, moment.second.mean(dtype=np.float64), moment.second.dtype)
    return replace(
        moment,
        first=np.concatenate([moment.first, zeros], axis),
        second=np.concatenate([moment.second, means], axis),
    )


def _shorter(moment: Moment, dropped: Array, axis: int) -> Moment:
    return replace(
        moment,
        first=np.delete(moment.first, dropped, axis),
        second=np.delete(moment.second, dropped, axis),
    )


# --- layers ------------------------------------------------------------------------------------


def insert_block(mind: Mind, after: int, units: int, rng: np.random.Generator) -> Mind:
    """Put a residual layer behind layer ``after`` in both towers. Changes no output.

    ``x + W2 f(W1 x + b1) + b2`` with ``W2 = 0``, ``b1 = b2 = 0``. Its parameters have no moments
    yet: Adam starts them at step 0.
    """
    moved = _renumber(mind, lambda layer: layer + 1 if layer > after else layer)
    parameters = dict(moved.parameters)
    width = mind.genome.architecture.widths()[after]
    for tower in TOWERS:
        block = f"{tower}.{after + 1}"
        dtype = parameters[f"{tower}.head.weight"].dtype
        parameters[f"{block}.inner.weight"] = orthogonal(rng, units, width).astype(dtype)
        parameters[f"{block}.inner.bias"] = np.zeros(units, dtype)
        parameters[f"{block}.outer.weight"] = np.zeros((width, units), dtype)
        parameters[f"{block}.outer.bias"] = np.zeros(width, dtype)
    return Mind(with_block(mind.genome, after, units), parameters, moved.moments)


def remove_block(mind: Mind, index: int) -> Mind:
    """Take residual layer ``index`` out of both towers: the inverse of ``insert_block``."""
    gone = tuple(f"{tower}.{index}." for tower in TOWERS)
    rest = Mind(
        without_block(mind.genome, index),
        {name: value for name, value in mind.parameters.items() if not name.startswith(gone)},
        {name: value for name, value in mind.moments.items() if not name.startswith(gone)},
    )
    return _renumber(rest, lambda layer: layer - 1 if layer > index else layer)


def _renumber(mind: Mind, place: Callable[[int], int]) -> Mind:
    """Rename the parameters of every layer ``i`` to those of layer ``place(i)``."""

    def renamed(name: str) -> str:
        tower, layer, rest = name.split(".", 2)
        return f"{tower}.{place(int(layer))}.{rest}" if layer != "head" else name

    parameters = {renamed(name): value for name, value in mind.parameters.items()}
    moments = {renamed(name): value for name, value in mind.moments.items()}
    return Mind(mind.genome, parameters, moments)
