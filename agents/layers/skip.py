"""``x + a P y``: adds an earlier stream through a gate that is initially closed (ReZero)."""

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


class SkipPass(passes.LayerPass):
    """``x + a (y P')``; what it adds, without the gate, counts as its units' activations."""

    slope_of = False

    def forward(self, x: Array, streams: Sequence[Array]) -> Array:
        """See ``LayerPass``."""
        w = self.place.weights
        self._source = streams[self.place.layer.source + 1]
        self.read, self.hidden = x, np.matmul(self._source, passes.turned(w["weight"]))
        found: Array = x + w["gate"][:, :, None] * self.hidden
        return found

    def backward(self, slope: Array, earlier: dict[int, Array], *, first: bool) -> Array:
        """See ``LayerPass``."""
        del first
        w, g = self.place.weights, self.place.gradients
        g["gate"][:, 0] = (slope * self.hidden).sum((1, 2))
        by_added = slope * w["gate"][:, :, None]
        np.matmul(passes.turned(by_added), self._source, out=g["weight"])
        index = self.place.layer.source + 1
        if index > 0:  # the observation needs no gradient
            owed = np.matmul(by_added, w["weight"])
            earlier[index] = owed + earlier[index] if index in earlier else owed
        return slope


class Skip(LayerKind):
    """The gate ``a`` is one number (Bachlechner et al. 2021).

    ``P`` is drawn at random: were it 0 like the gate, neither would ever have a gradient.
    """

    grows = False
    numpy_pass = SkipPass

    def shapes(self, layer: Layer, inputs: Inputs) -> Shapes:
        """The gate and the map from the source."""
        del layer
        return {"gate": (1,), "weight": (inputs.width, inputs.source)}

    def flops(self, layer: Layer, inputs: Inputs) -> float:
        """The map, the gate and the sum."""
        del layer
        return 2 * inputs.source * inputs.width + 2 * inputs.width

    def stream(self, layer: Layer) -> Sequence[Place]:
        """It adds to the stream; what it reads is the source's."""
        del layer
        return (("weight", 0, "blank"),)

    def initial_value(self, layer: Layer, suffix: str) -> str:
        """The gate starts closed, at 0."""
        del layer
        return "zero" if suffix == "gate" else "random"

    def problem(self, layer: Layer, inputs: Inputs) -> str | None:
        """Its units are those of the stream."""
        if layer.units != inputs.width:
            return f"a skip has the units of its stream: {inputs.width}, not {layer.units}"
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
        del f
        added = streams[layer.source + 1] @ p["weight"].t()
        out = x + p["gate"] * added
        return out, added
