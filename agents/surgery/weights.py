"""Moves weights and optimiser state from one genome to the next.

Every function takes an agent state and returns a new one; arrays that do not change are shared. A
unit of a layer is part of several parameters, along one axis of each: its *seats*. Growing appends
to every seat, dropping deletes from it, resetting overwrites it, and the optimiser's moments, masks
and initial weights change alike. A target network gets the same numbers as its online network.

A new or reset unit has orthogonal incoming weights and zero outgoing weights, so no output changes,
whatever the activation. Its outgoing weights have a gradient at once, its incoming weights from the
second step on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.architecture.initial import refit_masks
from agents.arrays import Array
from agents.contract import AgentState, OptimiserMoment, RefusedEditError
from agents.genome import SETS_WIDTH, Architecture, Genome, Layer
from agents.layers import KINDS
from agents.layers.kind import Role
from agents.models.orthogonal import orthogonal

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


def a_count(units: int, name: str = "units") -> int:
    """Return ``units``, the edit's setting ``name``.

    Raises ``RefusedEditError`` unless it is a whole number of at least 1.
    """
    if type(units) is not int or units < 1:  # a bool is an int to isinstance
        raise RefusedEditError(f"units is a whole number of at least 1, not {units!r}", name)
    return units


def with_units(genome: Genome, index: int, units: int) -> Genome:
    """Return the genome with ``units`` units in layer ``index``.

    A norm or a skip that gets their stream is as wide as it.
    """
    layers = list(genome.architecture.layers)
    layers[index] = replace(layers[index], units=units)
    if layers[index].kind in SETS_WIDTH:
        for i in range(index + 1, len(layers)):
            if layers[i].kind in SETS_WIDTH:
                break
            if layers[i].kind in {"norm", "skip"}:
                layers[i] = replace(layers[i], units=units)
    return with_layers(genome, layers)


def with_layer(genome: Genome, index: int, layer: Layer) -> Genome:
    """Return the genome with one layer more, which becomes layer ``index``."""
    layers = [_resourced(each, lambda i: i + 1 if i >= index else i) for each in _layers(genome)]
    layers.insert(index, layer)
    return with_layers(genome, layers)


def without_layer(genome: Genome, index: int) -> Genome:
    """Return the genome without layer ``index``.

    Raises ``RefusedEditError`` where a skip reads what that layer sends.
    """
    layers = _layers(genome)
    if any(each.kind == "skip" and each.source == index for each in layers):
        raise RefusedEditError(f"a skip reads layer {index}")
    del layers[index]
    kept = [_resourced(each, lambda i: i - 1 if i > index else i) for each in layers]
    return with_layers(genome, kept)


def replaced(genome: Genome, index: int, layer: Layer) -> Genome:
    """Return the genome with another layer ``index``."""
    layers = _layers(genome)
    layers[index] = layer
    return with_layers(genome, layers)


def with_layers(genome: Genome, layers: Sequence[Layer]) -> Genome:
    """Return the genome with these layers."""
    architecture = replace(genome.architecture, layers=tuple(layers))
    return replace(genome, architecture=architecture)


def _layers(genome: Genome) -> list[Layer]:
    return list(genome.architecture.layers)


def _resourced(layer: Layer, place: Callable[[int], int]) -> Layer:
    return replace(layer, source=place(layer.source)) if layer.kind == "skip" else layer


# --- parameters of a unit ----------------------------------------------------------------------


@dataclass(frozen=True)
class Seat:
    """One parameter that holds a layer's units, along ``axis``.

    ``incoming``: incoming weights. ``outgoing``: outgoing weights of the parameter's layer.
    ``blank``: zero in a new unit (its bias, and what later residual blocks add to it). ``ones``: 1.
    """

    name: str
    axis: int
    role: Role


def seats(architecture: Architecture, index: int, tower: str) -> tuple[Seat, ...]:
    """The parameters that hold the units of layer ``index`` in one tower."""
    layers = architecture.layers
    found = _placed(f"{tower}.{index}", KINDS[layers[index].kind].own(layers[index]))
    if layers[index].kind not in SETS_WIDTH:
        return tuple(found)
    flowing = True  # the stream of this layer has not been replaced by another yet
    for later in range(index + 1, len(layers)):
        layer = layers[later]
        if flowing:
            found += _placed(f"{tower}.{later}", KINDS[layer.kind].stream(layer))
        if layer.kind == "skip" and stream_of(layers, layer.source) == index:
            found.append(Seat(f"{tower}.{later}.weight", 1, "outgoing"))
        flowing = flowing and layer.kind not in SETS_WIDTH
    return (*found, Seat(f"{tower}.head.weight", 1, "outgoing")) if flowing else tuple(found)


def stream_of(layers: Sequence[Layer], index: int) -> int:
    """Return the layer whose units the stream behind layer ``index`` is; -1: the observation."""
    while index >= 0 and layers[index].kind not in SETS_WIDTH:
        index -= 1
    return index


def readers(architecture: Architecture, index: int) -> list[Layer]:
    """Layers that get the stream whose units are those of layer ``index``, in order."""
    found = []
    for layer in architecture.layers[index + 1 :]:
        found.append(layer)
        if layer.kind in SETS_WIDTH:
            break
    return found


def _placed(where: str, places: Sequence[tuple[str, int, Role]]) -> list[Seat]:
    return [Seat(f"{where}.{suffix}", axis, role) for suffix, axis, role in places]


def growing_problem(
    architecture: Architecture, index: int, *, zero_outgoing: bool = True
) -> str | None:
    """Return why layer ``index`` cannot change its units, or ``None``.

    ``zero_outgoing``: new units with zero outgoing weights are added; a norm would still read them.
    """
    layer = architecture.layers[index]
    if not KINDS[layer.kind].grows:
        return f"layer {index} is {layer.kind}: it has no units of its own to add or remove"
    if layer.kind not in SETS_WIDTH:
        return None
    for reader in readers(architecture, index):
        if KINDS[reader.kind].rigid:
            return f"{reader.kind} reads layer {index} in tokens of a fixed size"
        if zero_outgoing and reader.kind == "norm":
            return f"a norm reads layer {index}: new units would still count in its mean"
    return None


def outgoing_norms(agent_state: AgentState, index: int, tower: str) -> Array:
    """Length of each unit's outgoing weights, float64 ``[units]``: 0 = no effect on the output."""
    total = np.zeros(agent_state.genome.architecture.layers[index].units)
    for seat in seats(agent_state.genome.architecture, index, tower):
        if seat.role == "outgoing":
            total += np.square(agent_state.parameters[seat.name], dtype=np.float64).sum(axis=0)
    return np.sqrt(total)


def pairs(genome: Genome) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (learning tower, it and its target where it has one)."""
    targets = genome.targets()
    for tower in genome.towers():
        yield tower, (tower, *(each for each in targets if each == f"target_{tower}"))


# --- arrays that go together -------------------------------------------------------------------


class Draft:
    """An agent state being rewritten; moments, masks and initial weights follow each parameter."""

    def __init__(self, agent_state: AgentState) -> None:
        self.parameters = dict(agent_state.parameters)
        self.moments = dict(agent_state.moments)
        self.buffers = dict(agent_state.buffers)

    def append(self, name: str, new: Array, axis: int) -> None:
        """Add entries: the first moment is padded with 0, the second with its mean.

        Padding both with 0 while the tensor's step count goes on would make the first step of a new
        weight up to 3.2 learning rates long.
        """
        self.parameters[name] = np.concatenate([self.parameters[name], new], axis)
        if name in self.moments:
            self.moments[name] = _longer(self.moments[name], new.shape, axis)
        if f"birth/{name}" in self.buffers:
            old = self.buffers[f"birth/{name}"]
            self.buffers[f"birth/{name}"] = np.concatenate([old, new.astype(old.dtype)], axis)
        if f"mask/{name}" in self.buffers:
            mask = self.buffers[f"mask/{name}"]
            there = np.zeros(new.shape, mask.dtype)  # refit_masks chooses which of them are edges
            self.buffers[f"mask/{name}"] = np.concatenate([mask, there], axis)

    def delete(self, name: str, gone: Array, axis: int) -> None:
        """Remove entries."""
        self.parameters[name] = np.delete(self.parameters[name], gone, axis)
        if name in self.moments:
            self.moments[name] = _shorter(self.moments[name], gone, axis)
        for key in (f"birth/{name}", f"mask/{name}"):
            if key in self.buffers:
                self.buffers[key] = np.delete(self.buffers[key], gone, axis)

    def overwrite(self, name: str, new: Array, place: tuple[object, ...]) -> None:
        """Put fresh entries in place, as initial weights too; their moments become zero."""
        fresh = self.parameters[name].copy()
        fresh[place] = new[place]  # type: ignore[index]
        self.parameters[name] = fresh
        if name in self.moments:
            old = self.moments[name]
            first, second = old.first.copy(), old.second.copy()
            first[place] = second[place] = 0.0  # type: ignore[index]
            self.moments[name] = replace(old, first=first, second=second)
        key = f"birth/{name}"
        if key in self.buffers:
            initial = self.buffers[key].copy()
            initial[place] = new[place]  # type: ignore[index]
            self.buffers[key] = initial

    def units(self, tower: str, index: int, change: Callable[[Array], Array]) -> None:
        """Change the arrays that hold one number a unit of a layer."""
        for kind in ("utility", "age"):
            key = f"{kind}/{tower}.{index}"
            if key in self.buffers:
                self.buffers[key] = change(self.buffers[key])

    def agent_state(self, genome: Genome, rng: np.random.Generator | None = None) -> AgentState:
        """The finished agent state; masks have the genome's number of edges again."""
        draft = AgentState(genome, self.parameters, self.moments, self.buffers)
        return refit_masks(draft, rng)


# --- units -------------------------------------------------------------------------------------


def grow_units(
    agent_state: AgentState, index: int, units: int, rng: np.random.Generator
) -> AgentState:
    """Add ``units`` units of zero outgoing weight to layer ``index`` of every tower.

    Changes no output.
    """
    genome = with_units(
        agent_state.genome, index, agent_state.genome.architecture.layers[index].units + units
    )
    draft = Draft(agent_state)
    for tower, both in pairs(agent_state.genome):
        for seat in seats(agent_state.genome.architecture, index, tower):
            new = _fresh(seat, draft.parameters[seat.name], units, rng)
            for each in both:
                draft.append(_in(each, seat.name), new, seat.axis)
        for each in both:
            draft.units(each, index, lambda old: np.append(old, np.zeros(units, old.dtype)))
    return draft.agent_state(genome, rng)


def drop_units(
    agent_state: AgentState,
    index: int,
    dropped: Mapping[str, Array],
    means: Mapping[str, Array] | None = None,
) -> AgentState:
    """Delete units of layer ``index``, weights and moments alike: ``dropped[tower]`` int ``[k]``.

    ``means[tower]``, float ``[units]``, are mean activations; given them, the dropped units' mean
    contribution moves into the biases of the layers that read it. That is exact on average only. A
    target loses the units of its online network.
    """
    (count,) = {len(each) for each in dropped.values()}
    genome = with_units(
        agent_state.genome, index, agent_state.genome.architecture.layers[index].units - count
    )
    draft = Draft(agent_state)
    for tower, both in pairs(agent_state.genome):
        gone = dropped[tower]
        for each in both:
            for seat in seats(agent_state.genome.architecture, index, each):
                if means is not None and seat.role == "outgoing":
                    _fold(draft, seat, gone, means[tower])
                draft.delete(seat.name, gone, seat.axis)
            draft.units(each, index, lambda old, gone=gone: np.delete(old, gone))  # type: ignore[misc]
    return draft.agent_state(genome)


def _fold(draft: Draft, seat: Seat, gone: Array, means: Array) -> None:
    bias = seat.name.removesuffix("weight") + "bias"
    if bias not in draft.parameters:  # no bias to absorb it
        return
    sent = np.take(draft.parameters[seat.name], gone, seat.axis) @ means[gone]
    draft.parameters[bias] = (draft.parameters[bias] + sent).astype(sent.dtype)


def reset_units(
    agent_state: AgentState, index: int, tower: str, units: Array, rng: np.random.Generator
) -> AgentState:
    """Reinitialise units, int ``[k]``, of one tower: fresh incoming, zero outgoing weights.

    Their moments become zero, as ReDo does (Sokar et al. 2023). The tensor's step count is shared
    with units that stay, so it goes on, and the first step of a reset weight may be 3.2 times the
    learning rate. A target follows with the same numbers.
    """
    draft = Draft(agent_state)
    both = dict(pairs(agent_state.genome)).get(tower, (tower,))
    for seat in seats(agent_state.genome.architecture, index, tower):
        place = (slice(None),) * seat.axis + (units,)
        fresh = draft.parameters[seat.name].copy()
        fresh[place] = _fresh(seat, fresh, len(units), rng)
        for each in both:
            draft.overwrite(_in(each, seat.name), fresh, place)
    for each in both:
        draft.units(each, index, lambda old: _zeroed(old, units))
    return draft.agent_state(agent_state.genome, rng)


def _in(tower: str, name: str) -> str:
    """The parameter of another tower in the same place."""
    return f"{tower}.{name.split('.', 1)[1]}"


def _zeroed(old: Array, units: Array) -> Array:
    new = old.copy()
    new[units] = 0.0
    return new


def _fresh(seat: Seat, old: Array, units: int, rng: np.random.Generator) -> Array:
    """What ``units`` new units hold at this seat."""
    if seat.role == "incoming":
        return orthogonal(rng, units, old.shape[1]).astype(old.dtype)
    shape = list(old.shape)
    shape[seat.axis] = units
    return np.full(shape, float(seat.role == "ones"), old.dtype)


def _longer(moment: OptimiserMoment, shape: tuple[int, ...], axis: int) -> OptimiserMoment:
    zeros = np.zeros(shape, moment.first.dtype)
    means = np.full(shape, moment.second.mean(dtype=np.float64), moment.second.dtype)
    return replace(
        moment,
        first=np.concatenate([moment.first, zeros], axis),
        second=np.concatenate([moment.second, means], axis),
    )


def _shorter(moment: OptimiserMoment, dropped: Array, axis: int) -> OptimiserMoment:
    return replace(
        moment,
        first=np.delete(moment.first, dropped, axis),
        second=np.delete(moment.second, dropped, axis),
    )
