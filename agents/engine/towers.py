"""Forward and backward pass of some towers of one agent, in NumPy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agents.architecture.cost import layer_inputs
from agents.arrays import Array
from agents.genome import Architecture, Guard
from agents.layers import KINDS
from agents.layers.passes import Activation, LayerPass, Place


@dataclass(frozen=True)
class Parameters:
    """Parameters of some towers, or their gradients: views of the arrays that are in use."""

    layers: tuple[Mapping[str, Array], ...]  # one a layer: suffix -> [towers, ...]; masks as well
    heads: tuple[tuple[Array, Array], ...]  # one a tower: weight [outputs, width], bias [outputs]


class TowerPass:
    """Towers of one architecture on a fixed number of rows; its arrays are used again."""

    def __init__(
        self,
        architecture: Architecture,
        guarded: Sequence[bool],
        weights: Parameters,
        gradients: Parameters | None,
        sizes: tuple[int, int],
    ) -> None:
        """``sizes``: rows and inputs. ``gradients``: to be filled; ``None`` for forward only."""
        rows, inputs = sizes
        self._gradients, self._guarded = gradients, guarded
        self._heads = [(weight, bias[:, None]) for weight, bias in weights.heads]
        self._guards, activation = architecture.guards, Activation(architecture)
        self.layers: list[LayerPass] = []
        width = inputs
        for i, (layer, given) in enumerate(layer_inputs(architecture, inputs)):
            kind = KINDS[layer.kind]
            if kind.numpy_pass is None:
                raise ValueError(f"layer {i}: {layer.kind} has no pass in NumPy")
            filled = gradients.layers[i] if gradients else {}
            place = Place(layer, weights.layers[i], filled, activation, rows, given.width)
            self.layers.append(kind.numpy_pass(place))
            width = layer.units if kind.sets_width else given.width
        self._slope = np.empty((len(weights.heads), rows, width), np.float32)
        self.unguarded: list[Array] = []
        self.slopes: Sequence[Array] = ()

    def forward(self, x: Array) -> list[Array]:
        """Return the outputs of every tower, ``[outputs, rows]`` each, for ``[rows, inputs]``.

        Outputs lie row by row along the last axis: sums over the few actions are then quick.
        """
        self._x, out = x, x[None]
        streams = [out]
        for each in self.layers:
            out = each.forward(out, streams)
            streams.append(out)
        self.stream, self.unguarded = out, []
        for k, (weight, bias) in enumerate(self._heads):
            found = np.matmul(weight, self.entering(k).T)
            self.unguarded.append(np.add(found, bias, out=found))
        if not self._guards:
            return self.unguarded
        return [
            guard_outputs(out, x, self._guards) if guarded else out
            for out, guarded in zip(self.unguarded, self._guarded, strict=True)
        ]

    def backward(self, slopes: Sequence[Array]) -> None:
        """Fill the gradients, given that of every tower's outputs, ``[outputs, rows]`` each."""
        if self._gradients is None:
            raise RuntimeError("this pass was made for forward passes only")
        if self._guards:
            slopes = [self._through_guards(k, each) for k, each in enumerate(slopes)]
        self.slopes = slopes
        for k, (by_weight, by_bias) in enumerate(self._gradients.heads):
            slope, weight = slopes[k], self._heads[k][0]
            np.matmul(slope, self.entering(k), out=by_weight)
            np.add.reduce(slope, axis=1, out=by_bias)
            product = np.multiply if len(slope) == 1 else np.matmul
            product(slope.T, weight, out=self._slope[k])
        slope, earlier = self._slope, dict[int, Array]()
        for i in reversed(range(len(self.layers))):
            if earlier and i + 1 in earlier:
                slope = slope + earlier.pop(i + 1)
            slope = self.layers[i].backward(slope, earlier, first=i == 0)

    def entering(self, tower: int) -> Array:
        """What this tower's head reads, ``[rows, width]``."""
        found: Array = self.stream[tower if len(self.stream) > 1 else 0]
        return found

    def _through_guards(self, tower: int, slope: Array) -> Array:
        """The gradient before the guards: a clamp passes it on where it holds nothing back."""
        if not self._guarded[tower]:
            return slope
        out, live = self.unguarded[tower], np.ones(slope.shape, bool)
        for guard in self._guards:
            if guard.kind == "clamp":
                live &= np.abs(out) <= guard.bound
            out = guard_outputs(out, self._x, (guard,))
        found: Array = slope * live
        return found


def guard_outputs(out: Array, x: Array, guards: Sequence[Guard]) -> Array:
    """Constrain ``[outputs, rows]``; ``x``, ``[rows, inputs]``, begins with the newest one."""
    for guard in guards:
        if guard.kind == "clamp":
            out = np.clip(out, -np.float32(guard.bound), np.float32(guard.bound))
        else:
            out = out.copy()
            there = x[:, guard.feature] >= guard.threshold
            out[guard.action] -= np.float32(guard.bound) * there
    return out
