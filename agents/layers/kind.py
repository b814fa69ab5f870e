"""The contract of a kind of layer: shapes, cost, where its units are, and its formula.

Importing a kind imports no torch: ``forward`` uses only methods of the tensors.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from agents.genome import Layer
from agents.layers.passes import LayerPass

if TYPE_CHECKING:
    from torch import Tensor

    Activation = Callable[[Tensor], Tensor]

Role = Literal["incoming", "outgoing", "blank", "ones"]
"""``incoming``: incoming weights of a unit. ``outgoing``: outgoing weights. ``blank``: 0 in a new
unit. ``ones``: 1 in a new unit."""
Shapes = dict[str, tuple[int, ...]]
Place = tuple[str, int, Role]
"""(suffix of the parameter, axis along which units lie, role)."""


@dataclass(frozen=True)
class Inputs:
    """What a layer gets."""

    width: int  # of the stream
    source: int  # of the stream that a skip adds
    history: int = 1  # observations in it, if it is layer 0


class LayerKind(ABC):
    """One kind of layer; stateless."""

    sets_width = False  # True: its units are the stream that leaves it
    grows = True  # False: units can be neither added nor removed
    rigid = False  # True: the stream it reads cannot change its width
    numpy_pass: ClassVar[type[LayerPass] | None] = None
    """Its forward and backward pass in NumPy; ``None``: networks with it are run by torch."""

    @abstractmethod
    def shapes(self, layer: Layer, inputs: Inputs) -> Shapes:
        """Suffix -> shape of its parameters, in the order in which they are trained."""

    @abstractmethod
    def flops(self, layer: Layer, inputs: Inputs) -> float:
        """FLOPs of one forward pass for one input; counted as in ``agents.architecture.cost``."""

    def own(self, layer: Layer) -> Sequence[Place]:
        """Where its own units are, in itself."""
        del layer
        return ()

    @abstractmethod
    def stream(self, layer: Layer) -> Sequence[Place]:
        """Where the units of the stream that it gets are, in itself."""

    def initial_value(self, layer: Layer, suffix: str) -> str:
        """How this parameter starts: random, zero, one, or the suffix that it copies."""
        del layer
        return "zero" if suffix.endswith("bias") or suffix.startswith("outer.") else "random"

    def frozen(self, layer: Layer, suffix: str) -> bool:
        """Does learning leave this parameter alone?"""
        del layer, suffix
        return False

    def problem(self, layer: Layer, inputs: Inputs) -> str | None:
        """Return why this layer cannot stand here, or ``None``."""
        del layer, inputs
        return None

    @abstractmethod
    def forward(
        self,
        p: "Mapping[str, Tensor]",
        layer: Layer,
        x: "Tensor",
        f: "Activation",
        streams: "Sequence[Tensor]",
    ) -> "tuple[Tensor, Tensor]":
        """Return (the stream after the layer, its units' activations ``[n, units]``).

        ``p``: parameters and buffers by suffix. ``streams[i]``: stream that entered layer ``i``, so
        that of layer ``source`` is ``streams[source + 1]``.
        """


def affine(p: "Mapping[str, Tensor]", name: str, x: "Tensor") -> "Tensor":
    """``x W' + b`` of the parameters ``{name}weight`` and ``{name}bias``."""
    weight = p[f"{name}weight"]
    mask = p.get(f"{name}mask")
    if mask is not None:
        weight = weight * mask
    return p[f"{name}bias"].addmm(x, weight.t())


def linear(name: str, inputs: int, outputs: int) -> Shapes:
    """Shapes of a linear map, weight first."""
    return {f"{name}weight": (outputs, inputs), f"{name}bias": (outputs,)}


def multiply(inputs: int, outputs: int) -> int:
    """FLOPs of a linear map with its bias."""
    return 2 * inputs * outputs + outputs
