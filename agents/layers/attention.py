"""``x + Wo MHA(x)`` over tokens of the stream (Vaswani et al. 2017); initially ``Wo = 0``."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.genome import Layer
from agents.layers.kind import Inputs, LayerKind, Place, Shapes, linear

if TYPE_CHECKING:
    from torch import Tensor

    from agents.layers.kind import Activation


class Attention(LayerKind):
    """The stream is cut into ``tokens`` equal pieces; ``count`` heads of ``units`` numbers each.

    In front of the first layer with ``tokens`` = ``history`` it attends over past observations.
    """

    grows = False
    rigid = True

    def shapes(self, layer: Layer, inputs: Inputs) -> Shapes:
        """Queries, keys and values without biases, and the way back into the stream."""
        size, inner = inputs.width // layer.tokens, layer.count * layer.units
        maps = {f"{name}.weight": (inner, size) for name in ("query", "key", "value")}
        return maps | linear("outer.", inner, size)

    def flops(self, layer: Layer, inputs: Inputs) -> float:
        """Four maps a token, scores, softmax (3 a score), weighted sums, bias and sum."""
        t, inner = layer.tokens, layer.count * layer.units
        maps = 4 * 2 * inputs.width * inner
        return maps + 4 * t * t * inner + 3 * t * t * layer.count + 2 * inputs.width

    def stream(self, layer: Layer) -> Sequence[Place]:
        """None that could change: a token's size is fixed."""
        del layer
        return ()

    def problem(self, layer: Layer, inputs: Inputs) -> str | None:
        """Tokens are equal pieces."""
        if inputs.width % layer.tokens:
            return f"a stream of {inputs.width} cannot be cut into {layer.tokens} equal tokens"
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
        del f, streams
        n, tokens = len(x), layer.tokens
        pieces = x.reshape(n, tokens, -1)
        query, key, value = (
            (pieces @ p[f"{name}.weight"].t())
            .reshape(n, tokens, layer.count, layer.units)
            .transpose(1, 2)
            for name in ("query", "key", "value")
        )
        shares = (query @ key.transpose(2, 3) / layer.units**0.5).softmax(3)
        heads = (shares @ value).transpose(1, 2).reshape(n, tokens, -1)
        added = heads @ p["outer.weight"].t() + p["outer.bias"]
        return x + added.reshape(n, -1), heads.mean(1)
