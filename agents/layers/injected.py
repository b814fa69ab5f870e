"""``h(x) + sum_i (a_i(x) - a0_i(x))``: plasticity injection (Nikishin et al. 2023)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.genome import Layer
from agents.layers.kind import Inputs, LayerKind, Place, Shapes, affine, linear, multiply

if TYPE_CHECKING:
    from torch import Tensor

    from agents.layers.kind import Activation


class Injected(LayerKind):
    """A dense layer with ``count`` injections of fresh trainable weights.

    ``h``, every ``a0`` and all ``a`` but the newest are frozen. The brackets matter in float32:
    ``h + (a - a0)`` is ``h`` to the bit while ``a = a0``, ``(h + a) - a0`` is not.
    """

    sets_width = True

    def shapes(self, layer: Layer, inputs: Inputs) -> Shapes:
        """``frozen``, then ``fresh.i`` and ``base.i`` of every injection."""
        found = linear("frozen.", inputs.width, layer.units)
        for i in range(layer.count):
            found |= linear(f"fresh.{i}.", inputs.width, layer.units)
            found |= linear(f"base.{i}.", inputs.width, layer.units)
        return found

    def flops(self, layer: Layer, inputs: Inputs) -> float:
        """All of its layers run, the frozen ones too."""
        one = multiply(inputs.width, layer.units) + layer.units
        return (1 + 2 * layer.count) * one + 2 * layer.count * layer.units

    def own(self, layer: Layer) -> Sequence[Place]:
        """Unit ``i`` is row ``i`` of every layer in it."""
        found: list[Place] = []
        for name in _names(layer):
            found += [(f"{name}.weight", 0, "incoming"), (f"{name}.bias", 0, "blank")]
        return found

    def stream(self, layer: Layer) -> Sequence[Place]:
        """All of them read it."""
        return [(f"{name}.weight", 1, "outgoing") for name in _names(layer)]

    def initial_value(self, layer: Layer, suffix: str) -> str:
        """``a0`` is a copy of ``a``."""
        if suffix.startswith("base."):
            return suffix.replace("base.", "fresh.", 1)
        return super().initial_value(layer, suffix)

    def frozen(self, layer: Layer, suffix: str) -> bool:
        """Only the newest ``a`` learns."""
        return not suffix.startswith(f"fresh.{layer.count - 1}.")

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
        out = f(affine(p, "frozen.", x))
        for i in range(layer.count):
            out = out + (f(affine(p, f"fresh.{i}.", x)) - f(affine(p, f"base.{i}.", x)))
        return out, out


def _names(layer: Layer) -> list[str]:
    pairs = [(f"fresh.{i}", f"base.{i}") for i in range(layer.count)]
    return ["frozen", *(name for pair in pairs for name in pair)]
