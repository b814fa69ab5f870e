"""All towers of one mind as torch modules, with the optimiser that trains them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from agents.architecture.initial import trainable
from agents.arrays import Array
from agents.contract import Mind, Moment
from agents.genome import Architecture, Genome
from agents.network import optimisers
from agents.network.towers import Tower

GUARDED = frozenset({"policy", "q", "target_q"})
"""Towers whose outputs are choices: planted constraints act on them."""


class Towers(nn.Module):
    """What every brain has. Parameter names are those of ``Mind``."""

    towers: tuple[str, ...]
    kept: dict[str, torch.Tensor]
    """Buffers that are not part of a forward pass."""

    def add_towers(self, names: Iterable[str]) -> None:
        """Make the towers, empty: whoever makes a brain assigns a mind next."""
        self.towers, self.kept = tuple(names), {}
        for tower in self.towers:
            self.add_module(tower, Tower(guarded=tower in GUARDED))

    def tower(self, name: str) -> Tower:
        """Return one tower."""
        found: Tower = self.get_submodule(name)  # type: ignore[assignment]
        return found

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the parameters that learning moves, with their names, in canonical order."""
        for name, each in self.named_parameters():
            if each.requires_grad:
                yield name, each


class Brain(Towers):
    """A brain of its own, for learners that need no policy object of SB3."""

    def __init__(self, genome: Genome) -> None:
        super().__init__()
        self.add_towers((*genome.towers(), *genome.targets()))


def assign(brain: Towers, mind: Mind, order: Mapping[str, object]) -> torch.optim.Optimizer:
    """Put a sound mind into the brain, in place; return the new optimiser with its state in it.

    ``order``: all parameter names in canonical order. All that can fail (memory) happens first:
    tensors are built beside the old ones, then swapped. No random number is drawn.
    """
    weights = {
        name: nn.Parameter(_tensor(mind.parameters[name]), trainable(mind.genome, name))
        for name in order
    }
    masks = {k.removeprefix("mask/"): _tensor(v) for k, v in mind.buffers.items() if _mask(k)}
    kept = {k: _tensor(v) for k, v in mind.buffers.items() if not _mask(k)}
    for tower in brain.towers:
        brain.tower(tower).assign(
            mind.genome.architecture,
            _within(weights, tower),
            {k.replace("weight", "mask"): v for k, v in _within(masks, tower).items()},
        )
    brain.kept = kept
    trained = dict(brain.trained())
    optimizer = optimisers.make(mind.genome.learning_rule, trained.values())
    for name, moment in mind.moments.items():
        if name in trained:  # by name: equal shapes in another order would be taken silently
            optimisers.set_moment(optimizer, trained[name], moment)
    return optimizer


def read_parameters(brain: Towers) -> dict[str, Array]:
    """Return copies of the live weights by name."""
    return {name: each.detach().numpy().copy() for name, each in brain.named_parameters()}


def read_buffers(brain: Towers) -> dict[str, Array]:
    """Return copies of masks and of what hooks keep, by name."""
    found = {
        f"mask/{name.removesuffix('mask')}weight": each.numpy().copy()
        for name, each in brain.named_buffers()
    }
    return found | {name: each.numpy().copy() for name, each in brain.kept.items()}


def read_moments(brain: Towers, optimizer: torch.optim.Optimizer) -> dict[str, Moment]:
    """Return copies of the optimiser's state by name; parameters never stepped are left out."""
    kind, found = optimisers.name_of(optimizer), {}
    for name, parameter in brain.trained():
        moment = optimisers.moment_of(kind, optimizer.state.get(parameter, {}))
        if moment is not None:
            found[name] = moment
    return found


def read_architecture(brain: Towers, optimizer: torch.optim.Optimizer) -> Architecture:
    """Return what the live towers are; ``RuntimeError`` where that is no architecture we train."""
    found = {tower: brain.tower(tower).architecture() for tower in brain.towers}
    if len(set(found.values())) > 1:
        raise RuntimeError(f"the towers differ: {' and '.join(map(str, found.values()))}")
    trained = {id(each) for group in optimizer.param_groups for each in group["params"]}
    wanted = {id(each): name for name, each in brain.trained()}
    if trained != set(wanted):
        orphans = [name for key, name in wanted.items() if key not in trained]
        raise RuntimeError(f"the optimiser does not train this network: {', '.join(orphans)}")
    return next(iter(found.values()))


def _mask(name: str) -> bool:
    return name.startswith("mask/")


def _within(named: Mapping[str, Any], tower: str) -> dict[str, Any]:
    start = f"{tower}."
    return {k.removeprefix(start): v for k, v in named.items() if k.startswith(start)}


def _tensor(value: Array) -> torch.Tensor:
    """Copy into torch's own (aligned) memory, float32, row by row.

    An edit may leave columns in another order of memory; torch would keep it, and the fused
    optimisers would then step the wrong numbers without a word.
    """
    return torch.tensor(np.asarray(value, np.float32, order="C"))
