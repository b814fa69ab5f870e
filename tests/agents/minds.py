"""Minds for tests: random ones, what shape they must have, and what they compute, by the book."""

from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st

from agents.contract import Array, Mind, Moment, View
from agents.genome import TOWERS, Architecture, Genome, Layer, LearningRule

OBSERVATION, ACTIONS = 5, 3

layers = st.builds(Layer, st.sampled_from(["dense", "residual"]), st.integers(1, 6))
architectures = st.builds(
    lambda first, rest, activation: Architecture((Layer("dense", first), *rest), activation),
    st.integers(1, 6),
    st.lists(layers, max_size=4),
    st.sampled_from(["tanh", "relu"]),
)
genomes = st.builds(
    Genome, architectures, st.builds(LearningRule, learning_rate=st.floats(1e-5, 1e-2))
)


def shapes(genome: Genome) -> dict[str, tuple[int, ...]]:
    """Shape of every parameter this genome must have."""
    found: dict[str, tuple[int, ...]] = {}
    for tower, outputs in zip(TOWERS, (ACTIONS, 1), strict=True):
        width = OBSERVATION
        for i, layer in enumerate(genome.architecture.layers):
            if layer.kind == "dense":
                found |= _linear(f"{tower}.{i}", width, layer.units)
                width = layer.units
            else:
                found |= _linear(f"{tower}.{i}.inner", width, layer.units)
                found |= _linear(f"{tower}.{i}.outer", layer.units, width)
        found |= _linear(f"{tower}.head", width, outputs)
    return found


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def a_mind(genome: Genome, seed: int = 0, dtype: type = np.float64, stepped: bool = True) -> Mind:
    """Random weights and, if stepped, moments after 7 steps."""
    rng = np.random.default_rng(seed)
    wanted = shapes(genome)
    parameters = {name: rng.standard_normal(shape).astype(dtype) for name, shape in wanted.items()}
    moments = {
        name: Moment(
            rng.standard_normal(shape).astype(dtype), rng.random(shape).astype(dtype), step=7.0
        )
        for name, shape in wanted.items()
    }
    return Mind(genome, parameters, moments if stepped else {})


def forward(mind: Mind, observations: Array) -> dict[str, Array]:
    """Outputs of both towers as the layer kinds are defined; complex numbers pass through."""
    activation = {"tanh": np.tanh, "relu": lambda z: np.where(z.real > 0, z, 0)}[
        mind.genome.architecture.activation
    ]
    found = {}
    for tower in TOWERS:
        x = observations
        for i, layer in enumerate(mind.genome.architecture.layers):
            here = f"{tower}.{i}"
            if layer.kind == "dense":
                x = activation(_apply(mind.parameters, here, x))
            else:
                inner = activation(_apply(mind.parameters, f"{here}.inner", x))
                x = x + _apply(mind.parameters, f"{here}.outer", inner)
        found[tower] = _apply(mind.parameters, f"{tower}.head", x)
    return found


def _apply(parameters: Mapping[str, Array], name: str, x: Array) -> Array:
    return x @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"]


def gradients(mind: Mind, observations: Array, pull: Mapping[str, Array]) -> dict[str, Array]:
    """d(sum of pull * outputs)/d(parameter), by complex steps: exact, no code of ours in it."""
    found = {}
    for name, value in mind.parameters.items():
        tower = name.partition(".")[0]
        slope = np.zeros(value.shape)
        for place in np.ndindex(value.shape):
            moved = value.astype(complex)
            moved[place] += 1e-200j
            nudged = Mind(mind.genome, {**mind.parameters, name: moved}, {})
            outputs = forward(nudged, observations)[tower]
            slope[place] = (outputs.imag * pull[tower]).sum() / 1e-200
        found[name] = slope
    return found


def distance(one: Mind, other: Mind, observations: Array) -> float:
    """Largest difference of any output, relative to the largest output or 1."""
    before, after = forward(one, observations), forward(other, observations)
    return max(
        float(np.max(np.abs(before[t] - after[t])) / max(1.0, np.max(np.abs(before[t]))))
        for t in TOWERS
    )


def same(one: Mind, other: Mind) -> bool:
    """Equal to the bit: genome, weights, moments."""
    return (
        one.genome == other.genome
        and _same_arrays(one.parameters, other.parameters)
        and one.moments.keys() == other.moments.keys()
        and all(
            np.array_equal(mine.first, other.moments[name].first)
            and np.array_equal(mine.second, other.moments[name].second)
            and mine.step == other.moments[name].step
            for name, mine in one.moments.items()
        )
    )


def _same_arrays(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name])
        for name in one
    )


def frozen_copy(mind: Mind) -> Mind:
    """A deep copy; the arrays of the original become read-only, so any write in place raises."""
    parameters = {name: value.copy() for name, value in mind.parameters.items()}
    moments = {
        name: Moment(each.first.copy(), each.second.copy(), each.step)
        for name, each in mind.moments.items()
    }
    for value in mind.parameters.values():
        value.flags.writeable = False
    for each in mind.moments.values():
        each.first.flags.writeable = each.second.flags.writeable = False
    return Mind(mind.genome, parameters, moments)


def a_view(genome: Genome, update: int = 4, dormant: int = 1, **changes: object) -> View:
    """What an editor sees: the first ``dormant`` units of every layer sleep."""
    scores = [np.ones(layer.units) for layer in genome.architecture.layers]
    for each in scores:
        each[:dormant] = 0.0
    settings = {
        "genome": genome,
        "update": update,
        "flops": 1e6 * update,
        "flops_left": float("inf"),
        "returns": (0.0,) * update,
        "dormancy": tuple(float(np.mean(each <= 0.025)) for each in scores),
        "unit_scores": tuple(scores),
        "gradient_norm": 1.0,
    }
    return View(**(settings | changes))
