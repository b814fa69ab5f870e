"""``f(W x + b)``; where ``density`` is below 1, only the edges of a mask are there."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from agents.arrays import Array
from agents.genome import Layer
from agents.layers import passes
from agents.layers.kind import Inputs, LayerKind, Place, Shapes, affine, linear

if TYPE_CHECKING:
    from torch import Tensor

    from agents.layers.kind import Activation


def edges(layer: Layer, width: int) -> int:
    """Number of edges that a dense layer keeps: at least 1."""
    return max(round(layer.density * layer.units * width), 1)


class DensePass(passes.LayerPass):
    """``f(x W' + b)``."""

    def __init__(self, place: passes.Place) -> None:
        super().__init__(place)
        self._map = passes.Affine(place, "")
        self._units = place.activation.units(place.shape(place.layer.units))
        if place.gradients:
            self._back = np.empty(place.shape(place.width), np.float32)

    def forward(self, x: Array, streams: Sequence[Array]) -> Array:
        """See ``LayerPass``."""
        del streams
        self._map.forward(x, self._units.z)
        self.read, self.hidden = x, self._units.apply()
        return self.hidden

    def backward(self, slope: Array, earlier: dict[int, Array], *, first: bool) -> Array:
        """See ``LayerPass``."""
        del earlier
        self._units.back(slope)
        self.before = slope
        self._map.backward(slope, self.read)
        return slope if first else self._map.back(slope, self._back)


class Dense(LayerKind):
    """The plain layer."""

    sets_width = True
    numpy_pass = DensePass

    def shapes(self, layer: Layer, inputs: Inputs) -> Shapes:
        """Weight and bias."""
        return linear("", inputs.width, layer.units)

    def flops(self, layer: Layer, inputs: Inputs) -> float:
        """Two an edge, one a bias, one an activation."""
        return 2 * edges(layer, inputs.width) + 2 * layer.units

    def own(self, layer: Layer) -> Sequence[Place]:
        """Rows of the weight."""
        del layer
        return (("weight", 0, "incoming"), ("bias", 0, "blank"))

    def stream(self, layer: Layer) -> Sequence[Place]:
        """Columns of the weight."""
        del layer
        return (("weight", 1, "outgoing"),)

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
        hidden = f(affine(p, "", x))
        return hidden, hidden
