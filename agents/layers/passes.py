"""Forward and backward pass of a layer in NumPy, by hand, for several towers at once.

Towers of one agent have layers of the same shapes. Their parameters lie together, ``[towers,
...]``, so that one product serves all of them. All arrays are float32; what a pass writes is used
again at the next call.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.arrays import Array
from agents.genome import Architecture, Layer

ONE = np.float32(1)
_ZERO = np.float32(0)


def _relu(z: Array) -> Array:
    found: Array = np.maximum(z, _ZERO)
    return found


def _tanh_slope(z: Array) -> Array:
    found: Array = ONE - np.square(np.tanh(z))
    return found


def _relu_slope(z: Array) -> Array:
    return (z > 0).astype(np.float32)


_VALUES: Mapping[str, Callable[[Array], Array]] = {"tanh": np.tanh, "relu": _relu}
_SLOPES: Mapping[str, Callable[[Array], Array]] = {"tanh": _tanh_slope, "relu": _relu_slope}


class Activation:
    """The activation of an architecture, or the blend of its old and its new one."""

    def __init__(self, architecture: Architecture) -> None:
        self._old, self._new = architecture.activation, architecture.next_activation
        self._blend = np.float32(architecture.blend)
        self._z: Array | None = None

    def units(self, size: tuple[int, ...]) -> "Units":
        """Return what computes the activations of an array of this shape."""
        if self._new is not None:
            return _BlendUnits(size, self._old, self._new, self._blend)
        return (_TanhUnits if self._old == "tanh" else _ReluUnits)(size)


class Units(ABC):
    """The activations of one layer: ``z`` holds what goes in and, after ``apply``, what is kept."""

    def __init__(self, size: tuple[int, ...]) -> None:
        self.z = np.empty(size, np.float32)
        self._spare = np.empty(size, np.float32)

    @abstractmethod
    def apply(self) -> Array:
        """Return the activations of ``z``."""

    @abstractmethod
    def back(self, slope: Array) -> None:
        """Turn, in place, the gradient by the activations into that by ``z``."""


class _TanhUnits(Units):
    def apply(self) -> Array:
        np.tanh(self.z, out=self.z)
        return self.z

    def back(self, slope: Array) -> None:
        spare = self._spare
        np.multiply(self.z, self.z, out=spare)
        np.subtract(ONE, spare, out=spare)
        np.multiply(slope, spare, out=slope)


class _ReluUnits(Units):
    def apply(self) -> Array:
        np.maximum(self.z, _ZERO, out=self.z)
        return self.z

    def back(self, slope: Array) -> None:
        np.greater(self.z, _ZERO, out=self._spare, casting="unsafe")
        np.multiply(slope, self._spare, out=slope)


class _BlendUnits(Units):
    def __init__(self, size: tuple[int, ...], old: str, new: str, blend: np.float32) -> None:
        super().__init__(size)
        self._old, self._new, self._blend = old, new, blend

    def apply(self) -> Array:
        kept, blend = self.z, self._blend
        found: Array = (ONE - blend) * _VALUES[self._old](kept) + blend * _VALUES[self._new](kept)
        return found

    def back(self, slope: Array) -> None:
        kept, blend = self.z, self._blend
        slope *= (ONE - blend) * _SLOPES[self._old](kept) + blend * _SLOPES[self._new](kept)


@dataclass(frozen=True)
class Place:
    """Where a pass works: its layer, its parameters, their gradients, and how many rows."""

    layer: Layer
    weights: Mapping[str, Array]  # suffix -> [towers, ...]; a ``mask`` as well
    gradients: Mapping[str, Array]  # suffix -> [towers, ...], to be filled; empty: forward only
    activation: Activation
    rows: int
    width: int  # of the stream that it gets

    def shape(self, width: int) -> tuple[int, int, int]:
        """Return (towers, rows, width)."""
        return len(next(iter(self.weights.values()))), self.rows, width


class LayerPass(ABC):
    """One layer of all towers on a fixed number of rows."""

    slope_of: ClassVar[bool] = True
    """Has it pre-activations of its own, whose gradient ``before`` is?"""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.read: Array = np.empty(0)  # its inputs, [towers or 1, rows, width]
        self.hidden: Array = np.empty(0)  # its units' activations, [towers, rows, units]
        self.before: Array = np.empty(0)  # the gradient by its pre-activations, after ``backward``

    @abstractmethod
    def forward(self, x: Array, streams: Sequence[Array]) -> Array:
        """Return the stream after the layer, ``[towers, rows, width]``.

        ``streams[i]``: the stream that entered layer ``i``; the first is ``[1, rows, inputs]``.
        """

    @abstractmethod
    def backward(self, slope: Array, earlier: dict[int, Array], *, first: bool) -> Array:
        """Fill the gradients; return the gradient by the stream that the layer got.

        ``slope``: the gradient by what ``forward`` returned; it may be overwritten. ``earlier``:
        gradients by earlier streams, by their index, to which a layer adds what it owes them.
        ``first``: what is returned is not used.
        """


class Affine:
    """``x W' + b`` of every tower, and its gradients; ``name``: what its parameters begin with.

    Where there is a mask, only its edges are there: ``W`` is the weight times the mask.
    """

    def __init__(self, place: Place, name: str) -> None:
        self._weight = self._all = place.weights[f"{name}weight"]
        self._mask = place.weights.get(f"{name}mask")
        if self._mask is not None:
            self._weight = np.empty_like(self._all)
        self._turned = turned(self._weight)
        self._bias = place.weights[f"{name}bias"][:, None, :]
        if place.gradients:
            self._by_weight = place.gradients[f"{name}weight"]
            self._by_bias = place.gradients[f"{name}bias"][:, None, :]
            self._ones = np.ones((1, 1, place.rows), np.float32)

    def forward(self, x: Array, out: Array) -> None:
        """Fill ``out``, ``[towers, rows, outputs]``."""
        if self._mask is not None:
            np.multiply(self._all, self._mask, out=self._weight)
        np.matmul(x, self._turned, out=out)
        np.add(out, self._bias, out=out)

    def backward(self, slope: Array, x: Array) -> None:
        """Fill the gradients by weight and bias, given that by the outputs."""
        np.matmul(self._ones, slope, out=self._by_bias)  # a sum over rows; ``add.reduce`` is slower
        np.matmul(turned(slope), x, out=self._by_weight)
        if self._mask is not None:
            np.multiply(self._by_weight, self._mask, out=self._by_weight)

    def back(self, slope: Array, out: Array) -> Array:
        """Fill ``out`` with the gradient by the inputs."""
        found: Array = np.matmul(slope, self._weight, out=out)
        return found


def turned(matrices: Array) -> Array:
    """The transpose of every tower's matrix, a view."""
    return matrices.transpose(0, 2, 1)
