"""Reports every problem of a learner's settings, a genome or an agent state, in words."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import get_args, get_type_hints

import numpy as np

from agents.architecture.cost import layer_inputs, parameter_shapes, table_shapes, tower_sizes
from agents.architecture.initial import sparse_weights
from agents.architecture.ranges import (
    IDLE_FOR,
    LEARNER_RANGES,
    MEMORY_RANGES,
    MORE_RANGES,
    OPTIMISERS,
    RULE_RANGES,
    TABLE_RANGES,
    Range,
    check_learner,
    check_rewritable,
    choice_problems,
    rule_problems,
    setting_problems,
    words,
)
from agents.arrays import Array
from agents.contract import AgentState, OptimiserMoment
from agents.genome import (
    IDLE,
    Architecture,
    Genome,
    Guard,
    Layer,
    LearningRule,
    SACRule,
    TableRule,
)
from agents.layers import KINDS
from agents.part_settings import PlacedProblem

__all__ = [
    "IDLE_FOR",
    "LEARNER_RANGES",
    "MEMORY_RANGES",
    "MORE_RANGES",
    "OPTIMISERS",
    "RULE_RANGES",
    "TABLE_RANGES",
    "Range",
    "architecture_problems",
    "check_learner",
    "check_rewritable",
    "choice_problems",
    "fit_problems",
    "genome_problems",
    "objective_problems",
    "rule_problems",
    "setting_problems",
    "state_problems",
    "table_problems",
    "words",
    "wrong_rule",
]

Shape = tuple[int, ...]
MAX_UNITS = 1_000_000
MAX_LAYERS = 1_000
MAX_HISTORY = 64
_LARGEST = np.finfo(np.float32).max  # agent states are float32
_ACTIVATIONS = get_args(get_type_hints(Architecture)["activation"])
_KINDS = get_args(get_type_hints(Layer)["kind"])
_GUARDS = get_args(get_type_hints(Guard)["kind"])
_LAYER_RANGES: Mapping[str, Range] = {
    "count": Range(1, 64, whole=True),
    "density": Range(0, 1, closed=False),
    "tokens": Range(1, 1_000_000, whole=True),
}
_GUARD_RANGES: Mapping[str, Range] = {
    "bound": Range(0, 1e6, closed=False),
    "action": Range(0, 1_000_000, whole=True),
    "feature": Range(0, 1_000_000, whole=True),
    "threshold": Range(-1e30, 1e30),
}


def refuse(problems: Iterable[str]) -> None:
    """Raise ``ValueError`` naming all problems; return where there are none."""
    found = list(problems)
    if found:
        raise ValueError("; ".join(found))


def wrong_rule(genome: Genome, wanted: type[LearningRule]) -> list[str]:
    """Return why an agent that learns by another rule cannot load a state of this genome."""
    found = type(genome.learning_rule)
    if found is wanted:
        return []
    if found is TableRule:
        return ["the agent state holds a table, this agent is a network"]
    return [f"the agent state learns by {found.__name__}, this agent by {wanted.__name__}"]


def table_problems(genome: Genome) -> list[PlacedProblem]:
    """Return what a table cannot be: layered, of another rule, or tuned like PPO."""
    rule = genome.learning_rule
    if not isinstance(rule, TableRule):
        return []
    found = choice_problems(asdict(rule))
    if genome.architecture.layers:
        what = "the agent keeps a table, which has no layers (architecture: {trunk: []})"
        found.append(PlacedProblem(what))
    moved = [name for name in IDLE if getattr(rule, name) != getattr(LearningRule(), name)]
    idle = [f"the agent keeps a table, which has no {name}" for name in moved]
    return found + [PlacedProblem(each) for each in idle]


def architecture_problems(architecture: Architecture) -> list[PlacedProblem]:
    """Return everything that keeps this architecture from being built, each at ``architecture``."""
    problems = [text for i, layer in enumerate(architecture.layers) for text in _layer(i, layer)]
    if len(architecture.layers) > MAX_LAYERS:
        problems.append(f"{len(architecture.layers)} layers, at most {MAX_LAYERS} are allowed")
    if architecture.layers and architecture.layers[0].kind in {"residual", "skip"}:
        kind = architecture.layers[0].kind
        problems.append(f"layer 0 is {kind}: the first layer must be dense, it sets the width")
    if architecture.activation not in _ACTIVATIONS:
        problems.append(f"activation must be one of {words(_ACTIVATIONS)}")
    return [PlacedProblem(each, "architecture") for each in (*problems, *_whole(architecture))]


def _whole(architecture: Architecture) -> Iterator[str]:
    """What is wrong with a blend, a history or a guard."""
    new, blend = architecture.next_activation, architecture.blend
    if new is not None and (new not in _ACTIVATIONS or new == architecture.activation):
        yield f"next_activation must be another of {words(_ACTIVATIONS)}, got {new!r}"
    limits = {"blend": Range(0, 1), "history": Range(1, MAX_HISTORY, whole=True)}
    yield from setting_problems({"blend": blend, "history": architecture.history}, limits)
    if new is None and blend:
        yield "blend must be 0 without a next_activation"
    for i, guard in enumerate(architecture.guards):
        if guard.kind not in _GUARDS:
            yield f"guard {i}: kind must be one of {words(_GUARDS)}, got {guard.kind!r}"
        yield from (f"guard {i}: {each}" for each in setting_problems(asdict(guard), _GUARD_RANGES))


def fit_problems(genome: Genome, observation_size: int, actions: int) -> list[PlacedProblem]:
    """What prevents a valid genome from running on these observations and actions, as above."""
    if isinstance(genome.learning_rule, TableRule):
        return []
    found: dict[str, None] = {}
    for inputs, _ in tower_sizes(genome, observation_size, actions).values():
        for i, (layer, given) in enumerate(layer_inputs(genome.architecture, inputs)):
            problem = KINDS[layer.kind].problem(layer, given)
            if problem:
                found[f"layer {i}: {problem}"] = None
    for i, guard in enumerate(genome.architecture.guards):
        if guard.kind == "mask" and guard.action >= actions:
            found[f"guard {i}: there is no action {guard.action}, only {actions}"] = None
        if guard.kind == "mask" and guard.feature >= observation_size:
            found[f"guard {i}: an observation has {observation_size} numbers"] = None
    return [PlacedProblem(each, "architecture") for each in found]


def genome_problems(genome: Genome) -> tuple[PlacedProblem, ...]:
    """Return everything that is wrong with ``genome``, without allocating anything.

    Paths begin with the part of the genome; of an objective its name and ``weight`` follow.
    """
    rule = (*rule_problems(genome.learning_rule), *table_problems(genome))
    return (
        *architecture_problems(genome.architecture),
        *(each.inside("learning_rule") for each in rule),
        *_objective(genome.objective),
    )


def state_problems(agent_state: AgentState, observation_size: int, actions: int) -> tuple[str, ...]:
    """Return all that prevents ``agent_state`` from running on these observations and actions.

    Names and shapes follow from the genome; weights and moments must be float and finite. A table
    has as many rows as states were seen, and no moments.
    """
    problems = genome_problems(agent_state.genome)
    problems = problems or tuple(fit_problems(agent_state.genome, observation_size, actions))
    if problems:
        return problems
    if isinstance(agent_state.genome.learning_rule, TableRule):
        states = len(np.atleast_1d(agent_state.parameters.get("table.values", ())))
        shapes = table_shapes(states, observation_size, actions)
    else:
        shapes = parameter_shapes(agent_state.genome, observation_size, actions)
    return (
        *_parameters(agent_state.parameters, shapes),
        *_moments(agent_state.moments, shapes),
        *_buffers(agent_state, shapes),
    )


def objective_problems(genome: Genome, known: Collection[str]) -> list[str]:
    """Objectives of the genome that this agent did not start with, in one line, or nothing."""
    unknown = [name for name, _ in genome.objective if name not in known]
    there = f"this agent has {words(known)}"
    return [f"unknown objectives: {words(unknown)} ({there})"] if unknown else []


def _parameters(given: Mapping[str, Array], shapes: Mapping[str, Shape]) -> Iterator[str]:
    missing = [name for name in shapes if name not in given]
    extra = [name for name in given if name not in shapes]
    if missing:
        yield f"missing parameters: {words(missing)}"
    if extra:
        yield f"unknown parameters: {words(extra)}"
    for name, shape in shapes.items():
        if name in given:
            yield from _tensor(name, given[name], shape)


def _moments(given: Mapping[str, OptimiserMoment], shapes: Mapping[str, Shape]) -> Iterator[str]:
    for name, moment in given.items():
        if name not in shapes:
            yield f"moments of unknown parameter {name}"
            continue
        yield from _tensor(f"first moment of {name}", moment.first, shapes[name])
        yield from _tensor(f"second moment of {name}", moment.second, shapes[name])
        if np.any(np.asarray(moment.second) < 0):
            yield f"second moment of {name} is negative"
        step = Range(0, 1e15).problem(f"step of {name}", moment.step)
        if step:
            yield step


def _buffers(agent_state: AgentState, shapes: Mapping[str, Shape]) -> Iterator[str]:
    if isinstance(agent_state.genome.learning_rule, TableRule):
        return
    missing = [
        n
        for n in sparse_weights(agent_state.genome, shapes)
        if f"mask/{n}" not in agent_state.buffers
    ]
    if missing:
        yield f"missing masks of {words(missing)}"
    for name, value in agent_state.buffers.items():
        kind, _, path = name.partition("/")
        if kind in {"mask", "birth"} and path in shapes:
            yield from _tensor(name, value, shapes[path])
        elif kind in {"utility", "age"} and _units(agent_state.genome, path):
            yield from _tensor(name, value, (_units(agent_state.genome, path),))
        elif name == "temperature/policy.head" and isinstance(
            agent_state.genome.learning_rule, SACRule
        ):
            yield from _temperature(name, value)
        elif kind != "fraction":
            yield f"unknown buffer {name}"


def _temperature(name: str, value: Array) -> Iterator[str]:
    """Its logarithm, Adam's two moments and steps; see ``agents.algorithms.sac``."""
    yield from _tensor(name, value, (4,))
    if np.shape(value) == (4,) and (np.asarray(value)[2:] < 0).any():
        yield f"{name} has a negative second moment or number of steps"


def _units(genome: Genome, path: str) -> int:
    """Units of the layer that ``TOWER.INDEX`` names; 0 if there is none."""
    tower, _, index = path.partition(".")
    layers = genome.architecture.layers
    known = tower in (*genome.towers(), *genome.targets()) and index.isdecimal()
    return layers[int(index)].units if known and int(index) < len(layers) else 0


def _tensor(name: str, value: Array, shape: Shape) -> Iterator[str]:
    found = np.asarray(value)
    if found.shape != shape:
        yield f"{name} has shape {_shape(found.shape)}, the genome needs {_shape(shape)}"
    if not np.issubdtype(found.dtype, np.floating):
        yield f"{name} holds {found.dtype}, not floats"
    elif not (np.abs(found) <= _LARGEST).all():  # false for nan
        yield f"{name} holds non-finite values"


def _shape(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "()"


def _layer(i: int, layer: Layer) -> Iterator[str]:
    if layer.kind not in _KINDS:
        yield f"layer {i}: kind must be one of {words(_KINDS)}, got {layer.kind!r}"
    yield from (f"layer {i}: {each}" for each in setting_problems(asdict(layer), _LAYER_RANGES))
    if type(layer.source) is not int or not -1 <= layer.source < max(i, 1):
        yield f"layer {i}: source must be an earlier layer or -1, got {layer.source!r}"
    if layer.kind != "dense" and layer.density != 1:
        yield f"layer {i}: only a dense layer can have a density below 1"
    if layer.kind == "memory" and i:
        yield f"layer {i} is memory: it reads observations, so it must be layer 0"
    problem = Range(1, MAX_UNITS, whole=True).problem(f"layer {i}: units", layer.units)
    if problem:
        yield problem


def _objective(objective: Iterable[tuple[str, float]]) -> Iterator[PlacedProblem]:
    pairs = tuple(objective)
    names = [name for name, _ in pairs]
    if names != sorted(set(names)):
        what = f"objectives must be named once each, in order of name, got {words(names)}"
        yield PlacedProblem(what, "objective")
    for name, weight in pairs:
        problem = Range(-1e6, 1e6).problem(f"weight of objective {name}", weight)
        if problem:
            yield PlacedProblem(problem, "objective", name, "weight")
