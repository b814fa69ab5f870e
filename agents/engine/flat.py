"""All parameters that some towers learn, in one vector each for weights, gradient and moments.

The same parameter of all towers lies together, so that a layer of every tower is one product. The
norm of the gradient is one dot product, and an optimiser's step is a few passes over the vectors.
"""

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from agents.arrays import Array
from agents.engine.towers import Parameters

_CACHE_LINE = 64  # bytes


def address(vector: Array) -> int:
    """Where its memory begins."""
    found: int = vector.__array_interface__["data"][0]
    return found


def aligned(size: int) -> Array:
    """Return float32 zeros that begin at a cache line."""
    memory = np.zeros(size * 4 + _CACHE_LINE, np.uint8)
    start = -address(memory) % _CACHE_LINE
    return memory[start : start + size * 4].view(np.float32)


class FlatVectors:
    """Where each parameter lies, and the vectors themselves.

    ``shapes``: name -> shape of the parameters of these towers, in canonical order; the towers are
    of one architecture.
    """

    def __init__(self, towers: Sequence[str], shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.towers, self.shapes = tuple(towers), dict(shapes)
        first = f"{self.towers[0]}."
        inner = [n.removeprefix(first) for n in shapes if n.startswith(first)]
        self.suffixes = [each for each in inner if not each.startswith("head.")]
        heads = [f"head.{leaf}" for leaf in ("weight", "bias")]
        names = [f"{tower}.{each}" for each in self.suffixes for tower in self.towers]
        names += [f"{tower}.{each}" for tower in self.towers for each in heads]
        self.names = names
        self.lengths = np.array([prod(shapes[name]) for name in names])
        ends = np.cumsum(self.lengths)
        starts = (ends - self.lengths).tolist()
        self._starts: dict[str, int] = dict(zip(names, starts, strict=True))
        self.size = int(ends[-1])
        self.weights, self.gradient, self.first, self.second = (
            aligned(self.size) for _ in range(4)
        )

    def all(self) -> tuple[Array, Array, Array, Array]:
        """Return weights, gradient, first and second moments."""
        return self.weights, self.gradient, self.first, self.second

    def start(self, name: str) -> int:
        """Where this parameter begins in every vector, in bytes."""
        return 4 * self._starts[name]

    def view(self, vector: Array, name: str) -> Array:
        """Return this parameter's part of a vector, in its shape."""
        start, shape = self._starts[name], self.shapes[name]
        return vector[start : start + prod(shape)].reshape(shape)

    def parameters(self, vector: Array, masks: Mapping[str, Array]) -> Parameters:
        """Return a vector's parts by layer; ``masks``: name of the weight -> its mask."""
        layers: list[dict[str, Array]] = []
        for suffix in self.suffixes:
            place, leaf = suffix.split(".", 1)
            while len(layers) <= int(place):
                layers.append({})
            layers[int(place)][leaf] = self._stacked(vector, suffix)
            found = [masks.get(f"{tower}.{suffix}") for tower in self.towers]
            if found[0] is not None:
                layers[int(place)]["mask"] = np.stack(found)  # type: ignore[arg-type]
        heads = [
            (self.view(vector, f"{tower}.head.weight"), self.view(vector, f"{tower}.head.bias"))
            for tower in self.towers
        ]
        return Parameters(tuple(layers), tuple(heads))

    def _stacked(self, vector: Array, suffix: str) -> Array:
        """This parameter of all towers, ``[towers, ...]``."""
        name = f"{self.towers[0]}.{suffix}"
        shape, start = self.shapes[name], self._starts[name]
        size = prod(shape) * len(self.towers)
        return vector[start : start + size].reshape(len(self.towers), *shape)


def single(
    tower: str, arrays: Mapping[str, Array], masks: Mapping[str, Array] | None = None
) -> Parameters:
    """Return the parameters of one tower, given all by name (views stay views)."""
    layers: list[dict[str, Array]] = []
    for name, array in arrays.items():
        owner, place, leaf = name.split(".", 2)
        if owner != tower or place == "head":
            continue
        while len(layers) <= int(place):
            layers.append({})
        layers[int(place)][leaf] = array[None]
        if masks and name in masks:
            layers[int(place)]["mask"] = masks[name][None]
    head = arrays[f"{tower}.head.weight"], arrays[f"{tower}.head.bias"]
    return Parameters(tuple(layers), (head,))
