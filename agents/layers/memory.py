"""``x + R h``: a gated recurrent unit over the last observations, initially closed (``R = 0``).

It reads the ``history`` observations that the agent sees, oldest first, from a state of zeros. An
edit never leaves a stale state behind, and back-propagation through time is exact.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agents.genome import Layer
from agents.layers.kind import Inputs, LayerKind, Place, Shapes, affine, linear, multiply

if TYPE_CHECKING:
    from torch import Tensor

    from agents.layers.kind import Activation

GATES = ("reset", "update", "candidate")


class Memory(LayerKind):
    """Gates as in Cho et al. 2014, the reset applied to the state before it is multiplied.

    ``h' = (1 - z) c + z h`` with ``z`` the update gate and ``c = tanh(C o + C' (r h) + b)``.
    """

    def shapes(self, layer: Layer, inputs: Inputs) -> Shapes:
        """Each gate's map of the observation and of the state, and the way into the stream."""
        frame, units, found = inputs.width // inputs.history, layer.units, Shapes()
        for gate in GATES:
            found |= linear(f"{gate}.", frame, units)
            found[f"{gate}.recurrent"] = (units, units)
        return found | linear("outer.", units, inputs.width)

    def flops(self, layer: Layer, inputs: Inputs) -> float:
        """Three gates an observation, 7 more a unit for mixing, and the way into the stream."""
        frame, units = inputs.width // inputs.history, layer.units
        step = 3 * (multiply(frame, units) + 2 * units * units + 2 * units) + 7 * units
        return inputs.history * step + multiply(units, inputs.width) + inputs.width

    def own(self, layer: Layer) -> Sequence[Place]:
        """Rows of every gate; all gates and the stream read the state."""
        del layer
        found: list[Place] = []
        for gate in GATES:
            found += [
                (f"{gate}.weight", 0, "incoming"),
                (f"{gate}.bias", 0, "blank"),
                (f"{gate}.recurrent", 0, "incoming"),
                (f"{gate}.recurrent", 1, "outgoing"),
            ]
        return [*found, ("outer.weight", 1, "outgoing")]

    def stream(self, layer: Layer) -> Sequence[Place]:
        """It reads observations, which do not grow."""
        del layer
        return ()

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
        frames = x.reshape(len(x), -1, p["reset.weight"].shape[1])
        state = x.new_zeros(len(x), layer.units)
        for age in range(frames.shape[1] - 1, -1, -1):  # newest first in the stream
            seen = frames[:, age]
            reset = _gate(p, "reset", seen, state).sigmoid()
            update = _gate(p, "update", seen, state).sigmoid()
            candidate = _gate(p, "candidate", seen, reset * state).tanh()
            state = (1 - update) * candidate + update * state
        return x + affine(p, "outer.", state), state


def _gate(p: "Mapping[str, Tensor]", name: str, seen: "Tensor", state: "Tensor") -> "Tensor":
    return affine(p, f"{name}.", seen) + state @ p[f"{name}.recurrent"].t()
