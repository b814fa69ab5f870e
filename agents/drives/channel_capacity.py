"""Capacity of discrete channels, in bits, between two bounds that certify it. NumPy alone.

Arimoto and Blahut's own iteration (1972) is slow where inputs outnumber outputs, so a primal-dual
interior-point method finds the input distribution, and their bounds certify the result:
for any weights ``w`` of the inputs, with ``q`` the mix of the rows and ``D_x`` the divergence of
row ``x`` from ``q``, capacity lies between ``sum_x w_x D_x`` and ``max_x D_x``.

Before that, outputs that never occur are dropped, proportional columns (outputs equally informative
of the input) and equal rows (inputs of equal effect) are merged, equal channels are solved once.
Equality allows for rounding; the result stays certified, as the bounds are computed on the channel
as it was given.
"""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agents.arrays import Array

_ROUNDS = 200
_DECIMALS = 12  # to which rows and columns are compared
_TINY = 1e-300
_SLOPPY = 1e-6  # how far a row may be from a sum of 1

Known = MutableMapping[bytes, Array]
"""Reduced channel -> weights of its inputs: what need not be solved again."""


@dataclass(frozen=True)
class Bits:
    """Lower and upper bound of the capacity asked for."""

    lower: Array
    upper: Array

    @property
    def gap(self) -> Array:
        """How far the capacity may lie above ``lower``."""
        return np.asarray(self.upper - self.lower)


def capacity(channels: Array, gap: float = 1e-8) -> Bits:
    """Capacity of channels ``[..., inputs, outputs]`` whose rows are distributions: ``[...]``.

    ``gap``, in bits, is aimed at; look at the gap returned, which may be larger where rounding or
    the number of rounds stands in the way. Raises ``ValueError`` for rows that are none.
    """
    table = np.asarray(channels, float)
    if table.ndim < 2 or not table.size:  # noqa: PLR2004
        raise ValueError(f"a channel has inputs and outputs, got an array of shape {table.shape}")
    found = capacities(list(table.reshape(-1, *table.shape[-2:])), gap)
    shape = table.shape[:-2]
    return Bits(found.lower.reshape(shape), found.upper.reshape(shape))


def capacities(channels: Sequence[Array], gap: float = 1e-8, known: Known | None = None) -> Bits:
    """Capacity of each of several channels ``[inputs, outputs]``, which may differ in size.

    ``known`` carries solutions over to later calls; it must go with one ``gap``.
    """
    solved = {} if known is None else known
    reductions = [_reduce(_checked(channel)) for channel in channels]
    waiting: dict[tuple[int, ...], dict[bytes, Array]] = {}
    for key, small, _ in reductions:
        if key not in solved:
            waiting.setdefault(small.shape, {})[key] = small
    for group in waiting.values():
        solved.update(zip(group, _best_weights(np.stack([*group.values()]), gap), strict=True))
    pairs = zip(channels, reductions, strict=True)
    bounds = [_bounds(channel[rows], solved[key], channel) for channel, (key, _, rows) in pairs]
    lower, upper = np.array(bounds, float).reshape(-1, 2).T / np.log(2)
    return Bits(np.maximum(lower, 0.0), np.maximum(upper, np.maximum(lower, 0.0)))


def _checked(channel: Array) -> Array:
    if channel.ndim != 2 or not channel.size:  # noqa: PLR2004
        raise ValueError(f"a channel has inputs and outputs, got an array of shape {channel.shape}")
    sums = channel.sum(-1)
    if not (np.abs(sums - 1) <= _SLOPPY).all() or (channel < 0).any():
        raise ValueError("every row of a channel is a distribution: at least 0, of sum 1")
    return channel


def _reduce(channel: Array) -> tuple[bytes, Array, Array]:
    """A name, a smaller channel of the same capacity, and the input behind each of its rows."""
    small = channel[:, channel.any(0)]
    profiles = np.round(small / small.sum(0), _DECIMALS)
    _, kind = np.unique(profiles, axis=1, return_inverse=True)
    small = small @ np.eye(kind.max() + 1)[kind.ravel()]
    small = small[:, np.lexsort(np.sort(np.round(small, _DECIMALS), axis=0))]
    rounded, rows = np.unique(np.round(small, _DECIMALS), axis=0, return_index=True)
    name = np.array(rounded.shape).tobytes() + (rounded + 0.0).tobytes()
    return name, small[rows], rows


def _entropies(channel: Array) -> Array:
    """Sum of ``p log p`` of each row, nats."""
    logs = np.log(channel, out=np.zeros_like(channel), where=channel > 0)
    return np.asarray((channel * logs).sum(-1))


def _bounds(chosen: Array, weights: Array, channel: Array) -> tuple[float, float]:
    """Bounds in nats on the capacity of ``channel`` by ``weights`` on some ``chosen`` rows of it.

    They are computed on what the caller gave, not on its reduction.
    """
    mix = weights @ chosen
    logs = np.log(np.maximum(mix, _TINY))
    lower = weights @ (_entropies(chosen) - chosen @ logs)
    return float(lower), float((_entropies(channel) - channel @ logs).max())


class _Point(NamedTuple):
    """Where the search stands, of each channel."""

    weights: Array  # [k, inputs]
    slack: Array  # [k, inputs]: how far each divergence may stay below the level
    level: Array  # [k]


def _best_weights(channels: Array, gap: float) -> Array:
    """Weights of the inputs of channels ``[k, inputs, outputs]`` of one size; each by itself."""
    k, inputs, _ = channels.shape
    point = _Point(np.full((k, inputs), 1 / inputs), np.zeros((0, inputs)), np.zeros(0))
    found, going = point.weights.copy(), np.arange(k)
    entropies = _entropies(channels)
    for _ in range(_ROUNDS):
        share = point.weights / point.weights.sum(-1, keepdims=True)
        mix = np.maximum((share[:, None] @ channels)[:, 0], _TINY)
        divergence = entropies - (channels @ np.log(mix)[..., None])[..., 0]
        found[going] = share
        open_ = divergence.max(-1) - (share * divergence).sum(-1) >= gap * np.log(2)
        if not open_.any():
            break
        if not len(point.level):
            level = divergence.max(-1) + 0.1
            point = _Point(point.weights, level[:, None] - divergence, level)
        going, channels, entropies = going[open_], channels[open_], entropies[open_]
        point = _Point(*(each[open_] for each in point))
        point = _step(channels, mix[open_], divergence[open_], point)
    return found


def _step(channels: Array, mix: Array, divergence: Array, point: _Point) -> _Point:
    """One damped Newton step on the optimality conditions, a tenth of the barrier left standing.

    At the optimum ``divergence + slack = level`` with ``weights * slack = 0`` and weights of sum 1.
    """
    weights, slack, level = point
    inputs = weights.shape[-1]
    barrier = 0.1 * (weights * slack).mean(-1)
    pull = divergence - level[:, None] + barrier[:, None] / weights
    curved = (channels / mix[:, None]) @ channels.transpose(0, 2, 1)
    curved = curved + (slack / weights)[..., None] * np.eye(inputs)
    sides = np.stack([pull, np.ones_like(pull)], axis=-1)
    ahead, even = np.moveaxis(np.linalg.solve(curved, sides), -1, 0)
    rise = (ahead.sum(-1) - (1 - weights.sum(-1))) / even.sum(-1)
    change = ahead - rise[:, None] * even
    give = (barrier[:, None] - slack * change) / weights - slack
    shrink = np.maximum(-change / weights, -give / slack).max(-1)
    stride = np.minimum(1.0, 0.9 / np.maximum(shrink, 1e-12))[:, None]
    return _Point(weights + stride * change, slack + stride * give, level + stride[:, 0] * rise)
