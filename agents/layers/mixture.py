"""``sum_k softmax(G x + g)_k f(W_k x + b_k)``: experts, softly routed (Jacobs et al. 1991)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.genome import Layer
from agents.layers.kind import Inputs, LayerKind, Place, Shapes, affine, linear, multiply

if TYPE_CHECKING:
    from torch import Tensor

    from agents.layers.kind import Activation


class Mixture(LayerKind):
    """Every expert sees every input: a softmax gate can be split exactly, a top-k gate cannot."""

    sets_width = True

    def shapes(self, layer: Layer, inputs: Inputs) -> Shapes:
        """All experts, then the gate."""
        found: Shapes = {}
        for k in range(layer.count):
            found |= linear(f"expert.{k}.", inputs.width, layer.units)
        return found | linear("gate.", inputs.width, layer.count)

    def flops(self, layer: Layer, inputs: Inputs) -> float:
        """Experts with activations, the gate with its softmax (3 an expert), and the sum."""
        experts = layer.count * (multiply(inputs.width, layer.units) + layer.units)
        gate = multiply(inputs.width, layer.count) + 3 * layer.count
        return experts + gate + 2 * layer.count * layer.units

    def own(self, layer: Layer) -> Sequence[Place]:
        """Unit ``i`` is row ``i`` of every expert."""
        found: list[Place] = []
        for k in range(layer.count):
            found += [(f"expert.{k}.weight", 0, "incoming"), (f"expert.{k}.bias", 0, "blank")]
        return found

    def stream(self, layer: Layer) -> Sequence[Place]:
        """Experts and gate read it."""
        names = [*(f"expert.{k}.weight" for k in range(layer.count)), "gate.weight"]
        return [(name, 1, "outgoing") for name in names]

    def initial_value(self, layer: Layer, suffix: str) -> str:
        """The gate starts at 0: all experts have the same weight."""
        zero = suffix.startswith("gate.") or suffix.endswith("bias")
        del layer
        return "zero" if zero else "random"

    def forward(
        self,
        p: "Mapping[str, Tensor]",
        layer: Layer,
        x: "Tensor",
        f: "Activation",
        streams: "Sequence[Tensor]",
    ) -> "tuple[Tensor, Tensor]":
        """See ``LayerKind``."""
        del streams
        shares = affine(p, "gate.", x).softmax(1)
        out = shares[:, :1] * f(affine(p, "expert.0.", x))
        for k in range(1, layer.count):
            out = out + shares[:, k : k + 1] * f(affine(p, f"expert.{k}.", x))
        return out, out
