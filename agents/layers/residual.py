"""``x + W2 f(W1 x + b1) + b2``: with ``W2 = b2 = 0`` it changes nothing, whatever ``f`` is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.genome import Layer
from agents.layers.kind import Inputs, LayerKind, Place, Shapes, affine, linear, multiply

if TYPE_CHECKING:
    from torch import Tensor

    from agents.layers.kind import Activation


class Residual(LayerKind):
    """A block beside the stream (He et al. 2016)."""

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
