"""Genome -> torch: two towers of dense and residual layers that can change size in place."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from agents.compute import parameter_shapes
from agents.contract import Array
from agents.genome import Architecture, Layer

Kind = Literal["dense", "residual"]
Activation = Callable[[Tensor], Tensor]
_ACTIVATIONS: Mapping[str, Activation] = {"tanh": torch.tanh, "relu": torch.relu}
_TRUNK_GAIN = 2**0.5
_HEAD_GAINS = {"policy": 0.01, "value": 1.0}


class Residual(nn.Module):
    """``x + outer(f(inner(x)))``: with ``outer`` zero it changes nothing, whatever ``f`` is."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = _empty_linear()
        self.outer = _empty_linear()


Block = nn.Linear | Residual


class Tower(nn.Module):
    """Layers named ``0``, ``1``, ... and a linear ``head``; existing modules outlive an edit."""

    def __init__(self) -> None:
        super().__init__()
        self.activation = "tanh"
        self.head = _empty_linear()

    def blocks(self) -> list[Block]:
        """Return the layers in order, the head apart."""
        return [cast("Block", each) for name, each in self._modules.items() if name != "head"]

    def arrange(self, architecture: Architecture) -> None:
        """Line up the blocks this architecture needs, reusing those of each kind in order.

        The parameters are the caller's to set. The head stays last, so that a grown tower orders
        its parameters as a freshly built one does: the norm of the gradient is a sum in that order.
        """
        head = self.head
        pools: dict[str, deque[Block]] = {"dense": deque(), "residual": deque()}
        for block in self.blocks():
            pools[_kind(block)].append(block)
        self._modules.clear()
        for i, layer in enumerate(architecture.layers):
            pool = pools[layer.kind]
            self.add_module(str(i), pool.popleft() if pool else _empty_block(layer.kind))
        self.add_module("head", head)
        self.activation = architecture.activation

    def architecture(self) -> Architecture:
        """Read the architecture back from the live weights."""
        layers = tuple(
            Layer(_kind(block), _inner(block).weight.shape[0]) for block in self.blocks()
        )
        return Architecture(layers, self.activation)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the head's output, ``[n, outputs]``."""
        f = _ACTIVATIONS[self.activation]
        for block in self.blocks():
            x, _ = _through(block, x, f)
        out: Tensor = self.head(x)
        return out

    def activations(self, x: Tensor) -> list[Tensor]:
        """Return what each layer's units put out after the non-linearity, ``[n, units]`` each."""
        f, found = _ACTIVATIONS[self.activation], []
        for block in self.blocks():
            x, hidden = _through(block, x, f)
            found.append(hidden)
        return found


def initial_parameters(
    architecture: Architecture, observation_size: int, actions: int, rng: np.random.Generator
) -> dict[str, Array]:
    """Draw float32 weights by name: orthogonal as SB3's, biases 0, residual layers start as 0.

    Gains: sqrt 2 in the trunk, 0.01 in the policy's head, 1 in the value's.
    """
    shapes = parameter_shapes(architecture, observation_size, actions)
    return {name: _initial(name, shape, rng) for name, shape in shapes.items()}


def _orthogonal(shape: tuple[int, ...], gain: float, rng: np.random.Generator) -> Array:
    """Draw a float32 ``[out, in]`` matrix with orthogonal rows or columns (Saxe et al. 2014)."""
    tall = (max(shape), min(shape))
    q, r = np.linalg.qr(rng.standard_normal(tall))
    q = q * np.sign(np.diag(r))  # makes the draw uniform over orthogonal matrices
    return np.ascontiguousarray(gain * (q if shape == tall else q.T), dtype=np.float32)


def set_parameter(module: nn.Module, name: str, value: nn.Parameter) -> None:
    """Put ``value`` at a dotted name inside existing modules, whatever its size."""
    path, _, leaf = name.rpartition(".")
    owner = module.get_submodule(path)
    setattr(owner, leaf, value)
    if leaf == "weight" and isinstance(owner, nn.Linear):
        owner.out_features, owner.in_features = value.shape


def _initial(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    if name.endswith("bias") or ".outer." in name:
        return np.zeros(shape, np.float32)
    tower, layer = name.split(".")[:2]
    return _orthogonal(shape, _HEAD_GAINS[tower] if layer == "head" else _TRUNK_GAIN, rng)


def _through(block: Block, x: Tensor, f: Activation) -> tuple[Tensor, Tensor]:
    """Return (the stream after the block, its units' activations)."""
    hidden = f(_inner(block)(x))
    return (x + block.outer(hidden) if isinstance(block, Residual) else hidden), hidden


def _inner(block: Block) -> nn.Linear:
    return block.inner if isinstance(block, Residual) else block


def _kind(block: Block) -> Kind:
    return "residual" if isinstance(block, Residual) else "dense"


def _empty_block(kind: Kind) -> Block:
    return Residual() if kind == "residual" else _empty_linear()


def _empty_linear() -> nn.Linear:
    """Return a linear layer of no account, without touching torch's global random numbers."""
    return cast("nn.Linear", skip_init(nn.Linear, 1, 1))  # type: ignore[no-untyped-call]
