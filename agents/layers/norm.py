"""Layer normalisation of the stream (Ba, Kiros & Hinton 2016)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from agents.arrays import Array
from agents.genome import Layer
from agents.layers import passes
from agents.layers.kind import Inputs, LayerKind, Place, Shapes

if TYPE_CHECKING:
    from torch import Tensor

    from agents.layers.kind import Activation

EPSILON = 1e-5  # added to the variance; torch's default


class NormPass(passes.LayerPass):
    """Layer normalisation; its outputs count as its units' activations."""

    slope_of = False

    def forward(self, x: Array, streams: Sequence[Array]) -> Array:
        """See ``LayerPass``."""
        del streams
        w = self.place.weights
        centred = x - x.mean(2, keepdims=True)
        variance = np.square(centred).mean(2, keepdims=True)
        self._scale = passes.ONE / np.sqrt(variance + np.float32(EPSILON))
        self._normal = centred * self._scale
        self.read = x
        self.hidden = self._normal * w["weight"][:, None, :] + w["bias"][:, None, :]
        return self.hidden

    def backward(self, slope: Array, earlier: dict[int, Array], *, first: bool) -> Array:
        """See ``LayerPass``."""
        del earlier
        g, normal = self.place.gradients, self._normal
        np.add.reduce(slope, axis=1, out=g["bias"])
        np.add.reduce(slope * normal, axis=1, out=g["weight"])
        if first:
            return slope
        by_normal = slope * self.place.weights["weight"][:, None, :]
        along = (by_normal * normal).mean(2, keepdims=True)
        found: Array = self._scale * (by_normal - by_normal.mean(2, keepdims=True) - normal * along)
        return found


class Norm(LayerKind):
    """``g (x - mean) / sqrt(var + 1e-5) + b`` over the units of one input.

    Every unit counts in its mean, so the stream that it reads cannot grow by units of zero
    outgoing weight.
    """

    grows = False
    numpy_pass = NormPass

    def shapes(self, layer: Layer, inputs: Inputs) -> Shapes:
        """Scale and shift of every unit."""
        del layer
        return {"weight": (inputs.width,), "bias": (inputs.width,)}

    def flops(self, layer: Layer, inputs: Inputs) -> float:
        """Mean 1, difference 1, variance 2, division 1, scale and shift 2 a unit."""
        del layer
        return 7 * inputs.width

    def stream(self, layer: Layer) -> Sequence[Place]:
        """One scale and one shift a unit."""
        del layer
        return (("weight", 0, "ones"), ("bias", 0, "blank"))

    def initial_value(self, layer: Layer, suffix: str) -> str:
        """Plain normalisation."""
        del layer
        return "one" if suffix == "weight" else "zero"

    def problem(self, layer: Layer, inputs: Inputs) -> str | None:
        """Its units are those of the stream."""
        if layer.units != inputs.width:
            return f"a norm has the units of its stream: {inputs.width}, not {layer.units}"
        return None

    def forward(
        self,
        p: "Mapping[str, Tensor]",
        layer: Layer,
        x: "Tensor",
        f: "Activation",
        streams: "Sequence[Tensor]",
    ) -> "tuple[Tensor, Tensor]":
        """See ``LayerKind``."""
        del layer, f, streams
        centred = x - x.mean(1, keepdim=True)
        spread = (centred.square().mean(1, keepdim=True) + EPSILON).rsqrt()
        out = centred * spread * p["weight"] + p["bias"]
        return out, out
