"""Net2Net: new units are copies of old ones, and outgoing weights are shared among the copies.

Chen, Goodfellow & Shlens 2016. With ``c`` copies of a unit, each has its incoming weights and
``1/c`` of its outgoing weights, which changes no output, whatever the activation. Gradients follow:
those of incoming weights are divided by ``c``, those of outgoing weights stay, so Adam's moments
are divided by ``c`` and ``c^2`` or copied. Without noise the copies stay equal: so do their
gradients.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from agents.arrays import Array
from agents.contract import AgentState, RefusedEditError
from agents.genome import Genome, Layer
from agents.surgery import weights
from agents.surgery.weights import Draft, Seat


def replicate(
    agent_state: AgentState,
    index: int,
    origin: Array,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
) -> AgentState:
    """Make layer ``index`` one whose unit ``i`` is a copy of unit ``origin[i]``, in every tower.

    ``origin``: int ``[new units]``; the old units come first, each at its place. ``noise`` is added
    to the copies' incoming weights, in standard deviations of each weight tensor.
    """
    old = agent_state.genome.architecture.layers[index].units
    genome = weights.with_units(agent_state.genome, index, len(origin))
    counts = np.bincount(origin, minlength=old)[origin]
    draft = Draft(agent_state)
    for _, both in weights.pairs(agent_state.genome):
        for seat in weights.seats(agent_state.genome.architecture, index, both[0]):
            for each in both:
                name = f"{each}.{seat.name.split('.', 1)[1]}"
                _copy(draft, Seat(name, seat.axis, seat.role), origin, counts)
            if noise and rng is not None and seat.role == "incoming":
                _part(draft, seat, both, old, lambda shape: noise * rng.standard_normal(shape))
        for each in both:
            draft.units(each, index, lambda was: was[origin])
    return draft.agent_state(genome, rng)


def _copy(draft: Draft, seat: Seat, origin: Array, counts: Array) -> None:
    shape = [1] * draft.parameters[seat.name].ndim
    shape[seat.axis] = len(origin)
    shared = counts.reshape(shape).astype(draft.parameters[seat.name].dtype)

    def taken(array: Array) -> Array:
        found: Array = np.take(array, origin, seat.axis)
        return found

    outgoing = seat.role == "outgoing"
    value = taken(draft.parameters[seat.name])
    draft.parameters[seat.name] = value / shared if outgoing else value
    if seat.name in draft.moments:
        was = draft.moments[seat.name]
        first, second = taken(was.first), taken(was.second)
        if not outgoing:
            first, second = first / shared, second / shared**2
        draft.moments[seat.name] = replace(was, first=first, second=second)
    key = f"birth/{seat.name}"
    if key in draft.buffers:
        initial = taken(draft.buffers[key])
        draft.buffers[key] = initial / shared if outgoing else initial


def _part(
    draft: Draft,
    seat: Seat,
    both: tuple[str, ...],
    old: int,
    draw: Callable[[tuple[int, ...]], Array],
) -> None:
    """Add noise to the copies' rows; a target gets the same."""
    weight = draft.parameters[seat.name]
    rows = weight[old:]
    moved = rows + (weight[:old].std() * draw(rows.shape)).astype(weight.dtype)
    for each in both:
        name = f"{each}.{seat.name.split('.', 1)[1]}"
        draft.parameters[name] = np.concatenate([draft.parameters[name][:old], moved])


def merge(agent_state: AgentState, index: int, units: int) -> AgentState:
    """Undo replication: in every tower, merge ``units`` units into earlier ones with equal inputs.

    Their outgoing weights are added to the earlier unit's, which changes no output. Raises
    ``RefusedEditError`` where a tower has fewer duplicates. A target must have the same ones.
    """
    layer = agent_state.genome.architecture.layers[index]
    genome = weights.with_units(agent_state.genome, index, layer.units - units)
    draft = Draft(agent_state)
    for tower, both in weights.pairs(agent_state.genome):
        origin = _duplicates(agent_state, index, tower)
        gone = np.flatnonzero(origin != np.arange(layer.units))[-units:]
        if len(gone) < units:
            raise RefusedEditError(
                f"{tower} has {len(gone)} units in layer {index} that read as another, not {units}"
            )
        for seat in weights.seats(agent_state.genome.architecture, index, tower):
            for each in both:
                name = f"{each}.{seat.name.split('.', 1)[1]}"
                _join(draft, Seat(name, seat.axis, seat.role), origin, gone)
        for each in both:
            draft.units(each, index, lambda was, gone=gone: np.delete(was, gone))  # type: ignore[misc]
    return draft.agent_state(genome)


def _duplicates(agent_state: AgentState, index: int, tower: str) -> Array:
    """For each unit, the first one with exactly the same incoming weights."""
    rows = []
    for seat in weights.seats(agent_state.genome.architecture, index, tower):
        if seat.role != "outgoing":
            value = np.moveaxis(agent_state.parameters[seat.name], seat.axis, 0)
            rows.append(value.reshape(len(value), -1))
    table = np.concatenate(rows, axis=1)
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(row.tobytes(), i) for i, row in enumerate(table)])


def _join(draft: Draft, seat: Seat, origin: Array, gone: Array) -> None:
    if seat.role == "outgoing":
        value = draft.parameters[seat.name].copy()
        moved = np.moveaxis(value, seat.axis, 0)
        for unit in gone:
            moved[origin[unit]] += moved[unit]
        draft.parameters[seat.name] = value
    elif seat.name in draft.moments:  # gradients of duplicates' incoming weights add up
        was = draft.moments[seat.name]
        first, root = was.first.copy(), np.sqrt(was.second)  # equal gradients: sizes add up, too
        for array in (first, root):
            moved = np.moveaxis(array, seat.axis, 0)
            for unit in gone:
                moved[origin[unit]] += moved[unit]
        draft.moments[seat.name] = replace(was, first=first, second=root**2)
    draft.delete(seat.name, gone, seat.axis)


def sparse_problem(genome: Genome, index: int) -> str | None:
    """Return why units of layer ``index`` cannot be copied (sparse layers), or ``None``."""
    layers: list[Layer] = [genome.architecture.layers[index]]
    layers += weights.readers(genome.architecture, index)
    if any(each.density < 1 for each in layers):
        return f"layer {index} or a reader of it is sparse: copies would change its share of edges"
    return None
