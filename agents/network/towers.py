"""Genome -> torch: towers of layers whose architecture can be replaced in place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agents.arrays import Array
from agents.genome import Architecture, Guard, Layer
from agents.layers import KINDS
from agents.layers.dense import edges

Activation = Callable[[Tensor], Tensor]
_ACTIVATIONS: Mapping[str, Activation] = {"tanh": torch.tanh, "relu": torch.relu}
DORMANT = 0.025
"""Units with a score up to this are dormant."""
Parts = dict[str, Tensor]
"""Parameters and buffers by suffix."""


@dataclass
class Record:
    """What passed through a tower: filled by a recorded forward pass, one entry a layer."""

    inputs: list[Tensor] = field(default_factory=list)
    hidden: list[Tensor] = field(default_factory=list)
    before: list[list[Tensor]] = field(default_factory=list)  # pre-activations, in order of use


class Tower(nn.Module):
    """Layers named ``0``, ``1``, ... and a linear ``head``; ``guarded``: the guards act on it."""

    def __init__(self, *, guarded: bool = False) -> None:
        super().__init__()
        self.guarded = guarded
        self.record: Record | None = None  # filled by the next forward pass, where there is one
        self._arrange(Architecture(()))

    def assign(
        self,
        architecture: Architecture,
        parameters: Mapping[str, nn.Parameter],
        buffers: Mapping[str, Tensor],
    ) -> None:
        """Become this architecture with these tensors, by name within the tower, in their order.

        That order is the optimiser's and that of the sum that makes the norm of the gradient.
        ``buffers``: ``{i}.mask`` for a sparse layer.
        """
        self._modules.clear()
        for name, value in parameters.items():
            owner, leaf = self._owner(name)
            setattr(owner, leaf, value)
        for name, mask in buffers.items():
            owner, leaf = self._owner(name)
            owner.register_buffer(leaf, mask)
        self._arrange(architecture)

    def architecture(self) -> Architecture:
        """Read the architecture back from the live tensors; what is no tensor as it is in use."""
        layers = tuple(_read(layer, p) for layer, p in zip(self._layers, self._parts, strict=True))
        return replace(self._whole, layers=layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the head's output, ``[n, outputs]``, for ``[n, inputs]``."""
        out, streams, record = x, [x], self.record
        for layer, p, kind in zip(self._layers, self._parts, self._kinds, strict=True):
            f = self._f if record is None else _noting(self._f, record, out)
            out, hidden = kind.forward(p, layer, out, f, streams)
            streams.append(out)
            if record is not None:
                record.hidden.append(hidden)
        if record is not None:
            record.inputs.append(out)
        out = self._head["bias"].addmm(out, self._head["weight"].t())
        if record is not None:
            record.before.append([out])
        return _guarded(out, x, self._whole.guards) if self.guarded else out

    def activations(self, x: Tensor) -> list[Tensor]:
        """Return the outputs of each layer's units, ``[n, units]`` each."""
        self.record = record = Record()
        self(x)
        self.record = None
        return record.hidden

    def unit_use(self, x: Tensor) -> dict[str, tuple[Any, ...]]:
        """``dormancy`` and ``unit_scores`` on these inputs, for a ``View``.

        A unit's score is its mean |activation| over that of its layer, 0 if all are 0 (ReDo, Sokar
        et al. 2023, eq. 1); it is 1 without inputs.
        """
        with torch.inference_mode():
            means = [each.abs().mean(0).numpy() for each in self.activations(x)]
        return use_of_units([each if len(x) else np.ones_like(each) for each in means])

    def parts(self, layer: int) -> Parts:
        """Live parameters and buffers of one layer, by suffix."""
        return self._parts[layer]

    def _owner(self, name: str) -> tuple[nn.Module, str]:
        """Return the module, made where missing, and the attribute that a dotted name means."""
        *path, leaf = name.split(".")
        owner: nn.Module = self
        for part in path:
            if not hasattr(owner, part):
                owner.add_module(part, nn.Module())
            owner = owner.get_submodule(part)
        return owner, leaf

    def _arrange(self, architecture: Architecture) -> None:
        tensors = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        self._whole, self._layers = architecture, architecture.layers
        self._kinds = [KINDS[layer.kind] for layer in self._layers]
        self._parts = [_within(tensors, f"{i}.") for i in range(len(self._layers))]
        self._head = _within(tensors, "head.")
        self._f = _activation(architecture)


def _within(tensors: Mapping[str, Tensor], prefix: str) -> Parts:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def use_of_units(means: Sequence[Array]) -> dict[str, tuple[Any, ...]]:
    """``dormancy`` and ``unit_scores`` of layers, given their units' mean |activation|."""
    scores = tuple(_unit_scores(each) for each in means)
    dormancy = tuple(float((each <= DORMANT).mean()) for each in scores)
    return {"dormancy": dormancy, "unit_scores": scores}


def _unit_scores(mean_activation: Array) -> Array:
    mean = mean_activation.mean()
    scores: Array = mean_activation / mean if mean > 0 else np.zeros_like(mean_activation)
    return scores


def _activation(architecture: Architecture) -> Activation:
    old, blend = _ACTIVATIONS[architecture.activation], architecture.blend
    if architecture.next_activation is None:
        return old
    new = _ACTIVATIONS[architecture.next_activation]
    return lambda z: (1 - blend) * old(z) + blend * new(z)


def _noting(f: Activation, record: Record, x: Tensor) -> Activation:
    record.inputs.append(x)
    record.before.append([])

    def noted(z: Tensor) -> Tensor:
        record.before[-1].append(z)
        return f(z)

    return noted


def _guarded(out: Tensor, x: Tensor, guards: tuple[Guard, ...]) -> Tensor:
    """Planted constraints; ``x`` begins with the newest observation."""
    for guard in guards:
        if guard.kind == "clamp":
            out = out.clamp(-guard.bound, guard.bound)
        else:
            lowered = torch.zeros_like(out)
            lowered[:, guard.action] = guard.bound * (x[:, guard.feature] >= guard.threshold)
            out = out - lowered
    return out


def _read(layer: Layer, p: Parts) -> Layer:
    """The layer as its tensors show it: sizes and number of parts, and edges where they are few."""
    names = {"norm": "weight", "skip": "weight", "dense": "weight", "residual": "inner.weight"}
    first = {"mixture": "expert.0.weight", "injected": "frozen.weight", "memory": "reset.weight"}
    if layer.kind == "attention":
        return replace(layer, units=p["query.weight"].shape[0] // layer.count)
    weight = p[{**names, **first}[layer.kind]]
    found = replace(layer, units=weight.shape[0])
    if layer.kind == "mixture":
        return replace(found, count=p["gate.weight"].shape[0])
    if layer.kind == "injected":
        return replace(found, count=sum(name.endswith("weight") for name in p) // 2)
    if layer.kind == "dense":
        return _sparse(found, p)
    return found


def _sparse(layer: Layer, p: Parts) -> Layer:
    mask = p.get("mask")
    if mask is None:
        return replace(layer, density=1.0)
    there, width = int(mask.sum()), mask.shape[1]
    exact = layer.density < 1 and there == edges(layer, width)
    return layer if exact else replace(layer, density=there / mask.numel())
