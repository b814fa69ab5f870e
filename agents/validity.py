"""Says what is wrong with a learner's settings, a genome or a mind: in words, all at once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import Any, get_args, get_type_hints

import numpy as np

from agents.compute import layer_inputs, parameter_shapes, table_shapes, tower_sizes
from agents.contract import Array, Mind, Moment
from agents.genome import IDLE, Architecture, Genome, Guard, Layer, LearningRule, TableRule
from agents.initial import sparse_weights
from agents.layers import KINDS

Shape = tuple[int, ...]
MAX_UNITS = 1_000_000
MAX_LAYERS = 1_000
MAX_HISTORY = 64
_LARGEST = np.finfo(np.float32).max  # minds live in float32
_ACTIVATIONS = get_args(get_type_hints(Architecture)["activation"])
_KINDS = get_args(get_type_hints(Layer)["kind"])
_GUARDS = get_args(get_type_hints(Guard)["kind"])
TABLE_CHOICES: Mapping[str, tuple[str, ...]] = {
    name: get_args(get_type_hints(TableRule)[name]) for name in ("rule", "learns_from")
}
"""What the words of a ``TableRule`` may be."""


@dataclass(frozen=True)
class Range:
    """The numbers a setting may take: ``low`` to ``high``, ``low`` itself only if ``closed``."""

    low: float
    high: float
    whole: bool = False
    closed: bool = True

    def problem(self, name: str, value: Any) -> str | None:
        """Return what is wrong with ``value``, or ``None``."""
        kind = Integral if self.whole else Real
        number = isinstance(value, kind) and not isinstance(value, bool)
        if number and self._holds(value):
            return None
        return f"{name} must be {self}, got {value!r}"

    def _holds(self, value: float) -> bool:
        """Compare without a conversion: a whole number may be too large for a float."""
        above = value >= self.low if self.closed else value > self.low
        return above and value <= self.high  # false for nan

    def __str__(self) -> str:
        what = "a whole number" if self.whole else "a number"
        return f"{what} in {'[' if self.closed else '('}{self.low:g}, {self.high:g}]"


RULE_RANGES: Mapping[str, Range] = {
    "learning_rate": Range(0, 1, closed=False),
    "discount": Range(0, 1),
    "gae_lambda": Range(0, 1),
    "clip_range": Range(0, 10, closed=False),
    "entropy_coefficient": Range(0, 10),
    "value_coefficient": Range(0, 100),
    "max_grad_norm": Range(0, 1e6, closed=False),
    "epochs": Range(1, 100, whole=True),
    "minibatch": Range(2, 1_000_000, whole=True),
    "target_kl": Range(0, 1e3),
    "momentum": Range(0, 0.9999),
    "weight_decay": Range(0, 100),
    "sam_radius": Range(0, 10),
    "sam_mix": Range(0, 1),
    "replacement_rate": Range(0, 1),
    "maturity": Range(1, 1_000_000_000, whole=True),
    "pull_to_birth": Range(0, 100),
}
"""What each number of ``LearningRule`` may be; a minibatch of one has no spread to divide by."""

MORE_RANGES: Mapping[str, Mapping[str, Range]] = {
    "dqn": {
        "gradient_steps": Range(1, 10_000, whole=True),
        "target_rate": Range(0, 1, closed=False),
        "target_every": Range(1, 100_000, whole=True),
        "exploration": Range(0, 1),
        "exploration_start": Range(0, 1),
        "exploration_updates": Range(1, 1_000_000, whole=True),
    },
    "sac": {
        "gradient_steps": Range(1, 10_000, whole=True),
        "target_rate": Range(0, 1, closed=False),
        "temperature": Range(0, 1e3),
    },
}
"""By ``rule``: its numbers beyond those of ``LearningRule``."""

OPTIMISERS = get_args(get_type_hints(LearningRule)["optimiser"])

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

LEARNER_RANGES: Mapping[str, Range] = {
    "num_envs": Range(1, 100_000, whole=True),
    "total_steps": Range(1, 10**12, whole=True),
    "steps_per_update": Range(1, 100_000, whole=True),
    **RULE_RANGES,
}
"""What each field of a PPO learner may be."""


TABLE_RANGES: Mapping[str, Range] = {
    "step_size": Range(0, 1, closed=False),
    "step_size_decay": Range(0, 1e6),
    "discount": Range(0, 1),
    "exploration_start": Range(0, 1),
    "exploration_end": Range(0, 1),
    "exploration_share": Range(0, 1),
    "initial_value": Range(-1e9, 1e9),
    "num_envs": Range(1, 100_000, whole=True),
    "total_steps": Range(1, 10**12, whole=True),
    "steps_per_update": Range(1, 100_000, whole=True),
}
"""What each number of a tabular learner may be."""


def setting_problems(settings: Mapping[str, Any], ranges: Mapping[str, Range]) -> list[str]:
    """Return a problem for every setting outside its range."""
    found = (ranges[name].problem(name, settings[name]) for name in ranges)
    return [problem for problem in found if problem]


def check_learner(settings: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` naming every PPO setting outside its range."""
    problems = setting_problems(settings, LEARNER_RANGES)
    if not problems and settings["num_envs"] * settings["steps_per_update"] == 1:
        problems = ["num_envs * steps_per_update must be at least 2: one step has no spread"]
    if problems:
        raise ValueError("; ".join(problems))


def rule_problems(rule: LearningRule) -> list[str]:
    """Return everything that is wrong with a learning rule."""
    data = asdict(rule)
    found = setting_problems(data, {**RULE_RANGES, **MORE_RANGES.get(data.get("rule", ""), {})})
    if rule.optimiser not in OPTIMISERS:
        found.append(f"optimiser must be one of {_words(OPTIMISERS)}, got {rule.optimiser!r}")
    return found


def table_problems(genome: Genome) -> list[str]:
    """Return what a table cannot be: layered, of another rule, or tuned like PPO."""
    rule = genome.learning_rule
    if not isinstance(rule, TableRule):
        return []
    found = choice_problems(asdict(rule))
    if genome.architecture.layers:
        found.append("the agent keeps a table, which has no layers (architecture: {trunk: []})")
    moved = [name for name in IDLE if getattr(rule, name) != getattr(LearningRule(), name)]
    return found + [f"the agent keeps a table, which has no {name}" for name in moved]


def choice_problems(settings: Mapping[str, Any]) -> list[str]:
    """Return a problem for every word that no table's rule knows."""
    return [
        f"{name} must be one of {_words(allowed)}, got {settings[name]!r}"
        for name, allowed in TABLE_CHOICES.items()
        if settings[name] not in allowed
    ]


def architecture_problems(architecture: Architecture) -> list[str]:
    """Return everything that keeps this architecture from being built."""
    problems = [text for i, layer in enumerate(architecture.layers) for text in _layer(i, layer)]
    if len(architecture.layers) > MAX_LAYERS:
        problems.append(f"{len(architecture.layers)} layers, at most {MAX_LAYERS} are allowed")
    if architecture.layers and architecture.layers[0].kind in {"residual", "skip"}:
        kind = architecture.layers[0].kind
        problems.append(f"layer 0 is {kind}: the first layer must be dense, it sets the width")
    if architecture.activation not in _ACTIVATIONS:
        problems.append(f"activation must be one of {_words(_ACTIVATIONS)}")
    return [*problems, *_whole(architecture)]


def _whole(architecture: Architecture) -> Iterator[str]:
    """What is wrong with a blend, a history or a guard."""
    new, blend = architecture.next_activation, architecture.blend
    if new is not None and (new not in _ACTIVATIONS or new == architecture.activation):
        yield f"next_activation must be another of {_words(_ACTIVATIONS)}, got {new!r}"
    limits = {"blend": Range(0, 1), "history": Range(1, MAX_HISTORY, whole=True)}
    yield from setting_problems({"blend": blend, "history": architecture.history}, limits)
    if new is None and blend:
        yield "blend must be 0 without a next_activation"
    for i, guard in enumerate(architecture.guards):
        if guard.kind not in _GUARDS:
            yield f"guard {i}: kind must be one of {_words(_GUARDS)}, got {guard.kind!r}"
        yield from (f"guard {i}: {each}" for each in setting_problems(asdict(guard), _GUARD_RANGES))


def fit_problems(genome: Genome, observation_size: int, actions: int) -> list[str]:
    """What keeps a sound genome from living on these observations and actions."""
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
    return list(found)


def genome_problems(genome: Genome) -> tuple[str, ...]:
    """Return everything that is wrong with ``genome``, without allocating anything."""
    return (
        *architecture_problems(genome.architecture),
        *rule_problems(genome.learning_rule),
        *table_problems(genome),
        *_objective(genome.objective),
    )


def mind_problems(mind: Mind, observation_size: int, actions: int) -> tuple[str, ...]:
    """Return everything that keeps ``mind`` from living on these observations and actions.

    Names and shapes follow from the genome; weights and moments must be float and finite. A table
    has as many rows as states were seen, and no moments.
    """
    problems = genome_problems(mind.genome)
    problems = problems or tuple(fit_problems(mind.genome, observation_size, actions))
    if problems:
        return problems
    if isinstance(mind.genome.learning_rule, TableRule):
        states = len(np.atleast_1d(mind.parameters.get("table.values", ())))
        shapes = table_shapes(states, observation_size, actions)
    else:
        shapes = parameter_shapes(mind.genome, observation_size, actions)
    return (
        *_parameters(mind.parameters, shapes),
        *_moments(mind.moments, shapes),
        *_buffers(mind, shapes),
    )


def objective_problems(genome: Genome, known: Collection[str]) -> list[str]:
    """Objectives of the genome that this agent was not born with, in one line, or nothing."""
    unknown = [name for name, _ in genome.objective if name not in known]
    there = f"this agent has {_words(known)}"
    return [f"unknown objectives: {_words(unknown)} ({there})"] if unknown else []


def _parameters(given: Mapping[str, Array], shapes: Mapping[str, Shape]) -> Iterator[str]:
    missing = [name for name in shapes if name not in given]
    extra = [name for name in given if name not in shapes]
    if missing:
        yield f"missing parameters: {_words(missing)}"
    if extra:
        yield f"unknown parameters: {_words(extra)}"
    for name, shape in shapes.items():
        if name in given:
            yield from _tensor(name, given[name], shape)


def _moments(given: Mapping[str, Moment], shapes: Mapping[str, Shape]) -> Iterator[str]:
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


def _buffers(mind: Mind, shapes: Mapping[str, Shape]) -> Iterator[str]:
    if isinstance(mind.genome.learning_rule, TableRule):
        return
    missing = [n for n in sparse_weights(mind.genome, shapes) if f"mask/{n}" not in mind.buffers]
    if missing:
        yield f"missing masks of {_words(missing)}"
    for name, value in mind.buffers.items():
        kind, _, path = name.partition("/")
        if kind in {"mask", "birth"} and path in shapes:
            yield from _tensor(name, value, shapes[path])
        elif kind in {"utility", "age"} and _units(mind.genome, path):
            yield from _tensor(name, value, (_units(mind.genome, path),))
        elif kind != "fraction":
            yield f"unknown buffer {name}"


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
        yield f"layer {i}: kind must be one of {_words(_KINDS)}, got {layer.kind!r}"
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


def _objective(objective: Iterable[tuple[str, float]]) -> Iterator[str]:
    pairs = tuple(objective)
    names = [name for name, _ in pairs]
    if names != sorted(set(names)):
        yield f"objectives must be named once each, in order of name, got {_words(names)}"
    for name, weight in pairs:
        problem = Range(-1e6, 1e6).problem(f"weight of objective {name}", weight)
        if problem:
            yield problem


def _words(names: Iterable[str]) -> str:
    return ", ".join(map(str, names)) or "none"
