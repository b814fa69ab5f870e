"""Experts of a soft mixture: how they are split, added and removed, moments included."""

from dataclasses import replace
from math import log

import numpy as np

from agents.arrays import Array
from agents.contract import AgentState, OptimiserMoment
from agents.genome import Layer
from agents.models.orthogonal import orthogonal
from agents.surgery import layers, weights

Weights = dict[str, Array]


def problem(layer: Layer, index: int) -> str | None:
    """Return why this layer cannot have experts, or ``None``."""
    if layer.kind not in {"dense", "mixture"}:
        return f"layer {index} is {layer.kind}: only a dense layer or a mixture has experts"
    return f"layer {index} is sparse: it would grow dense" if layer.density < 1 else None


def split(
    agent_state: AgentState, index: int, expert: int, noise: float, rng: np.random.Generator
) -> AgentState:
    """Copy an expert; both get ``ln 2`` less of the gate, so together they weigh what it did.

    As in Net2Net with two copies, their gradients are half: Adam's moments become m/2 and v/4.
    """
    draft: Weights = {}
    moments: dict[str, OptimiserMoment] = {}
    for tower, both in weights.pairs(agent_state.genome):
        size = len(layers.suffixes(agent_state, tower, index)[_any_bias(agent_state, index)])
        drawn = rng.standard_normal((size, _inputs(agent_state, tower, index))) if noise else None
        for each in both:
            found, state = _as_mixture(agent_state, each, index)
            count = len(found["gate.bias"])
            start, new = f"expert.{expert}", f"expert.{count}"
            weight = found[f"{start}.weight"]
            moved = weight if drawn is None else weight + noise * weight.std() * drawn
            found[f"{new}.weight"] = moved.astype(weight.dtype)
            found[f"{new}.bias"] = found[f"{start}.bias"].copy()
            _gate(found, found["gate.weight"][expert], found["gate.bias"][expert])
            found["gate.bias"][[expert, count]] -= log(2)
            _halve(state, start, new, expert)
            draft |= {f"{each}.{index}.{k}": v for k, v in found.items()}
            moments |= {f"{each}.{index}.{k}": v for k, v in state.items()}
    return layers.replace_layer(agent_state, index, _more(agent_state, index), draft, moments)


def add(agent_state: AgentState, index: int, quiet: float, rng: np.random.Generator) -> AgentState:
    """Append a fresh expert whose gate is ``quiet`` below the least bias of the others."""
    draft: Weights = {}
    moments: dict[str, OptimiserMoment] = {}
    for tower, both in weights.pairs(agent_state.genome):
        size = len(layers.suffixes(agent_state, tower, index)[_any_bias(agent_state, index)])
        fresh = orthogonal(rng, size, _inputs(agent_state, tower, index))
        for each in both:
            found, state = _as_mixture(agent_state, each, index)
            bias, count = found["gate.bias"], len(found["gate.bias"])
            found[f"expert.{count}.weight"] = fresh.astype(bias.dtype)
            found[f"expert.{count}.bias"] = np.zeros(size, bias.dtype)
            _gate(found, np.zeros(found["gate.weight"].shape[1]), bias.min() - quiet)
            for name in ("gate.weight", "gate.bias"):
                if name in state:
                    state[name] = _longer(state[name])
            draft |= {f"{each}.{index}.{k}": v for k, v in found.items()}
            moments |= {f"{each}.{index}.{k}": v for k, v in state.items()}
    return layers.replace_layer(agent_state, index, _more(agent_state, index), draft, moments)


def remove(agent_state: AgentState, index: int, expert: int) -> AgentState:
    """Delete an expert and its gate; the later ones move up."""
    draft: Weights = {}
    moments: dict[str, OptimiserMoment] = {}
    for tower in (*agent_state.genome.towers(), *agent_state.genome.targets()):
        found, state = _as_mixture(agent_state, tower, index)
        for name, value in found.items():
            place = _moved(name, expert)
            if place is None:
                continue
            gate = name.startswith("gate.")
            draft[f"{tower}.{index}.{place}"] = np.delete(value, expert, 0) if gate else value
            if name in state:
                was = state[name]
                moments[f"{tower}.{index}.{place}"] = (
                    replace(
                        was,
                        first=np.delete(was.first, expert, 0),
                        second=np.delete(was.second, expert, 0),
                    )
                    if gate
                    else was
                )
    layer = agent_state.genome.architecture.layers[index]
    fewer = replace(layer, count=layer.count - 1)
    return layers.replace_layer(agent_state, index, fewer, draft, moments)


def _as_mixture(
    agent_state: AgentState, tower: str, index: int
) -> tuple[Weights, dict[str, OptimiserMoment]]:
    """(weights, moments) of the layer by suffix; a dense one as a mixture of one."""
    start = f"{tower}.{index}."
    found = {k: v.copy() for k, v in layers.suffixes(agent_state, tower, index).items()}
    state = {
        k.removeprefix(start): v for k, v in agent_state.moments.items() if k.startswith(start)
    }
    if "weight" not in found:
        return found, state
    weight = found["weight"]
    whole = {f"expert.0.{k}": v for k, v in found.items()}
    whole["gate.weight"] = np.zeros((1, weight.shape[1]), weight.dtype)
    whole["gate.bias"] = np.zeros(1, weight.dtype)
    return whole, {f"expert.0.{k}": v for k, v in state.items()}


def _gate(found: Weights, row: Array, bias: float) -> None:
    dtype = found["gate.bias"].dtype
    found["gate.weight"] = np.concatenate([found["gate.weight"], row[None].astype(dtype)])
    found["gate.bias"] = np.append(found["gate.bias"], dtype.type(bias))


def _longer(was: OptimiserMoment) -> OptimiserMoment:
    """One row more, as a grown unit's: the first moment 0, the second the mean of the others."""
    row = was.second[:1]
    return replace(
        was,
        first=np.concatenate([was.first, np.zeros_like(row)]),
        second=np.concatenate([was.second, np.full_like(row, was.second.mean(dtype=np.float64))]),
    )


def _halve(state: dict[str, OptimiserMoment], start: str, new: str, expert: int) -> None:
    for leaf in ("weight", "bias"):
        if f"{start}.{leaf}" in state:
            was = state[f"{start}.{leaf}"]
            half = replace(was, first=was.first / 2, second=was.second / 4)
            state[f"{start}.{leaf}"] = state[f"{new}.{leaf}"] = half
        name = f"gate.{leaf}"
        if name in state:
            was = state[name]
            first, second = was.first.copy(), was.second.copy()
            first[expert], second[expert] = first[expert] / 2, second[expert] / 4
            state[name] = replace(
                was,
                first=np.concatenate([first, first[expert : expert + 1]]),
                second=np.concatenate([second, second[expert : expert + 1]]),
            )


def _moved(name: str, gone: int) -> str | None:
    """The suffix after an expert is gone; ``None`` for its own."""
    if not name.startswith("expert."):
        return name
    _, number, leaf = name.split(".")
    if int(number) == gone:
        return None
    return f"expert.{int(number) - (int(number) > gone)}.{leaf}"


def _more(agent_state: AgentState, index: int) -> Layer:
    layer = agent_state.genome.architecture.layers[index]
    return replace(layer, kind="mixture", count=layer.count + 1)


def _any_bias(agent_state: AgentState, index: int) -> str:
    return (
        "bias" if agent_state.genome.architecture.layers[index].kind == "dense" else "expert.0.bias"
    )


def _inputs(agent_state: AgentState, tower: str, index: int) -> int:
    name = _any_bias(agent_state, index).replace("bias", "weight")
    return int(layers.suffixes(agent_state, tower, index)[name].shape[1])
