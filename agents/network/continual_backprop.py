"""Continual backprop: the least useful units of a network are reinitialised, a few at every step.

Dohare et al. 2024 (Nature 632, "Loss of plasticity in deep continual learning"). A unit's utility
is the running mean (decay 0.99) of its contribution, ``mean |h_i| * sum_k |w_ik|`` over the units
that read it, corrected for its start at 0 as Adam's moments are. At every step the share
``replacement_rate`` of the units that are older than ``maturity`` steps is due; fractions add up
from step to step. The least useful ones are replaced: their incoming weights are orthogonal, as
at initialisation, their outgoing weights and their optimiser state are zero, and the L2 pull to the
initial weights is to these new ones.

The mean output of a replaced unit moves into the biases of the units that read it, as in the
authors' code, except where a norm stands in between. Their paper measures utility example by
example; here it is a mean over the minibatch.
"""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agents.genome import Architecture, LearningRule
from agents.models.orthogonal import orthogonal
from agents.network.towers import Tower
from agents.surgery.weights import Seat, seats

DECAY = 0.99
_KINDS = frozenset({"dense", "residual"})
"""Kinds whose units are one activation each."""

Buffers = MutableMapping[str, Tensor]


@dataclass(frozen=True)
class _Home:
    """One parameter that holds a layer's units, along ``axis``."""

    seat: Seat
    name: str  # within the tower
    values: Tensor
    bias: Tensor | None  # of the layer that reads the units, where it can absorb their mean output
    mask: Tensor | None  # 0 where there is no edge

    def at(self, units: Tensor) -> tuple[slice | Tensor, ...]:
        """Index of these units."""
        return (*(slice(None),) * self.seat.axis, units)


class UnitReplacement:
    """Works on any tower; its only state is in the buffers it is given.

    ``utility/{tower}.{i}`` and ``age/{tower}.{i}`` are float32 ``[units]``, the age in steps;
    ``fraction/{tower}.{i}``, ``[1]``, is the part of a unit that is due already.
    """

    def __init__(self, rule: LearningRule, rng: np.random.Generator) -> None:
        self._rate, self._maturity, self._rng = rule.replacement_rate, rule.maturity, rng
        self._homes: dict[str, tuple[Tensor, list[list[_Home]]]] = {}

    @torch.no_grad()
    def after_step(
        self,
        tower_name: str,
        tower: Tower,
        activations: Sequence[Tensor],
        optimizer: torch.optim.Optimizer,
        buffers: Buffers,
    ) -> None:
        """Age, judge and replace the units of one tower, in place.

        ``activations[i]``: outputs of layer ``i``, ``[n, units]``, in the step just done.
        """
        for i, homes in enumerate(self._found(tower_name, tower)):
            if homes:
                place = f"{tower_name}.{i}"
                size = activations[i].mean(0), activations[i].abs().mean(0)
                chosen = self._due(place, homes, size[1], buffers)
                if len(chosen):
                    initial = [buffers.get(f"birth/{tower_name}.{each.name}") for each in homes]
                    self._renew(homes, initial, chosen, size[0], optimizer)
                    for kind in ("utility", "age"):
                        buffers[f"{kind}/{place}"][chosen] = 0.0

    def _due(self, place: str, homes: Sequence[_Home], size: Tensor, buffers: Buffers) -> Tensor:
        """The units to replace now, int ``[k]``; ``size`` is their mean absolute activation."""
        utility, age = (_kept(buffers, f"{kind}/{place}", len(size)) for kind in ("utility", "age"))
        outgoing = sum(each.values.abs().sum(0) for each in homes if each.seat.role == "outgoing")
        utility.mul_(DECAY).add_(size * outgoing, alpha=1 - DECAY)
        age.add_(1.0)
        mature = age > self._maturity
        fraction = _kept(buffers, f"fraction/{place}", 1)
        due = float(fraction) + self._rate * int(mature.sum())
        fraction.fill_(due - int(due))
        if due < 1:
            return torch.zeros(0, dtype=torch.long)
        corrected = utility / (1 - DECAY**age)
        return torch.where(mature, corrected, torch.inf).argsort(stable=True)[: int(due)]

    def _renew(
        self,
        homes: Sequence[_Home],
        initial: Sequence[Tensor | None],
        units: Tensor,
        mean: Tensor,
        optimizer: torch.optim.Optimizer,
    ) -> None:
        for home, start in zip(homes, initial, strict=True):
            at = home.at(units)
            if home.seat.role == "outgoing" and home.bias is not None:
                home.bias.add_(home.values[at] @ mean[units])
            home.values[at] = self._fresh(home, len(units))
            if home.mask is not None:
                home.values.mul_(home.mask)
            if start is not None:
                start[at] = home.values[at].detach()
            for state in optimizer.state.get(home.values, {}).values():
                if isinstance(state, Tensor) and state.shape == home.values.shape:
                    state[at] = 0.0

    def _fresh(self, home: _Home, units: int) -> Tensor | float:
        if home.seat.role == "incoming":
            return torch.from_numpy(orthogonal(self._rng, units, home.values.shape[1])).float()
        return 1.0 if home.seat.role == "ones" else 0.0

    def _found(self, name: str, tower: Tower) -> list[list[_Home]]:
        """The parameters of every layer's units; looked up again when the tower was rebuilt."""
        head = tower.get_parameter("head.weight")
        known = self._homes.get(name)
        if known is None or known[0] is not head:
            known = head, _homes(tower)
            self._homes[name] = known
        return known[1]


def _kept(buffers: Buffers, name: str, length: int) -> Tensor:
    found = buffers.get(name)
    if found is None or len(found) != length:
        found = buffers[name] = torch.zeros(length)
    return found


def _homes(tower: Tower) -> list[list[_Home]]:
    architecture = tower.architecture()
    return [
        [_home(tower, architecture, i, seat) for seat in seats(architecture, i, "tower")]
        if layer.kind in _KINDS
        else []
        for i, layer in enumerate(architecture.layers)
    ]


def _home(tower: Tower, architecture: Architecture, layer: int, seat: Seat) -> _Home:
    tensors = {**dict(tower.named_parameters()), **dict(tower.named_buffers())}
    name = seat.name.removeprefix("tower.")
    stem = name.removesuffix("weight")
    place = name.split(".")[0]
    last = len(architecture.layers) if place == "head" else int(place)
    normed = any(each.kind == "norm" for each in architecture.layers[layer + 1 : last])
    return _Home(
        seat,
        name,
        tensors[name],
        None if normed or stem == name else tensors.get(f"{stem}bias"),
        tensors.get(f"{stem}mask") if stem != name else None,
    )
