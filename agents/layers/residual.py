"""``x + W2 f(W1 x + b1) + b2``: with ``W2 = b2 = 0`` it changes nothing, whatever ``f`` is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from agents.arrays import Array
from agents.genome import Layer
from agents.layers import passes
from agents.layers.kind import Inputs, LayerKind, Place, Shapes, affine, linear, multiply

if TYPE_CHECKING:
    from torch import Tensor

    from agents.layers.kind import Activation


class ResidualPass(passes.LayerPass):
    """``x + f(x W1' + b1) W2' + b2``."""

    def __init__(self, place: passes.Place) -> None:
        super().__init__(place)
        self._in, self._outer = passes.Affine(place, "inner."), passes.Affine(place, "outer.")
        self._units = place.activation.units(place.shape(place.layer.units))
        self._out = np.empty(place.shape(place.width), np.float32)
        if place.gradients:
            self._inner = np.empty(place.shape(place.layer.units), np.float32)
            self._back = np.empty_like(self._out)

    def forward(self, x: Array, streams: Sequence[Array]) -> Array:
        """See ``LayerPass``."""
        del streams
        self._in.forward(x, self._units.z)
        self.read, self.hidden = x, self._units.apply()
        self._outer.forward(self.hidden, self._out)
        return np.add(self._out, x, out=self._out)

    def backward(self, slope: Array, earlier: dict[int, Array], *, first: bool) -> Array:
        """See ``LayerPass``."""
        del earlier
        self._outer.backward(slope, self.hidden)
        inner = self._outer.back(slope, self._inner)
        self._units.back(inner)
        self.before = inner
        self._in.backward(inner, self.read)
        if first:
            return slope
        self._in.back(inner, self._back)
        return np.add(self._back, slope, out=self._back)


class Residual(LayerKind):
    """A block beside the stream (He et al. 2016)."""

    numpy_pass = ResidualPass

    def shapes(self, layer: Layer, inputs: Inputs) -> Shapes:
        """The inner and the outer map."""
        inner = linear("inner.", inputs.width, layer.units)
        return inner | linear("outer.", layer.units, inputs.width)

    def flops(self, layer: Layer, inputs: Inputs) -> float:
        """Two maps, the activations, and the sum with the stream."""
        maps = multiply(inputs.width, layer.units) + multiply(layer.units, inputs.width)
        return maps + layer.units + inputs.width

    def own(self, layer: Layer) -> Sequence[Place]:
        """The hidden units."""
        del layer
        return (
            ("inner.weight", 0, "incoming"),
            ("inner.bias", 0, "blank"),
            ("outer.weight", 1, "outgoing"),
        )

    def stream(self, layer: Layer) -> Sequence[Place]:
        """It reads the stream and adds to it."""
        del layer
        return (
            ("inner.weight", 1, "outgoing"),
            ("outer.weight", 0, "blank"),
            ("outer.bias", 0, "blank"),
        )

    def forward(
        self,
        p: "Mapping[str, Tensor]",
        layer: Layer,
        x: "Tensor",
        f: "Activation",
        streams: "Sequence[Tensor]",
    ) -> "tuple[Tensor, Tensor]":
        """See ``LayerKind``."""
        del layer, streams
        hidden = f(affine(p, "inner.", x))
        return x + affine(p, "outer.", hidden), hidden
