"""``x + a P y``: adds an earlier stream through a gate that is initially closed (ReZero)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.genome import Layer
from agents.layers.kind import Inputs, LayerKind, Place, Shapes

if TYPE_CHECKING:
    from torch import Tensor

    from agents.layers.kind import Activation


class Skip(LayerKind):
    """The gate ``a`` is one number (Bachlechner et al. 2021).

    ``P`` is drawn at random: were it 0 like the gate, neither would ever have a gradient.
    """

    grows = False

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
