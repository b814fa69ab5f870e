"""All towers of one agent as torch modules, with the optimiser that trains them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from agents.architecture.initial import trainable
from agents.arrays import Array
from agents.contract import AgentState, OptimiserMoment
from agents.genome import Architecture, Genome
from agents.network import optimisers
from agents.network.towers import Tower

GUARDED = frozenset({"policy", "q", "target_q"})
"""Towers whose outputs choose actions: planted constraints act on them."""


class Towers(nn.Module):
    """The towers of an agent's networks. Parameter names are those of ``AgentState``."""

    towers: tuple[str, ...]
    kept: dict[str, torch.Tensor]
    """Buffers that are not part of a forward pass."""

    def add_towers(self, names: Iterable[str]) -> None:
        """Make the towers, empty: the caller must assign an agent state next."""
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


class NetworkBundle(Towers):
    """Networks for learners that need no policy object of SB3."""

    def __init__(self, genome: Genome) -> None:
        super().__init__()
        self.add_towers((*genome.towers(), *genome.targets()))


def assign(
    networks: Towers, agent_state: AgentState, order: Mapping[str, object]
) -> torch.optim.Optimizer:
    """Write a valid agent state into the networks, in place; return its optimiser, with state.

    ``order``: all parameter names in canonical order. All that can fail (memory) happens first:
    tensors are built beside the old ones, then swapped. No random number is drawn.
    """
    weights = {
        name: nn.Parameter(
            _tensor(agent_state.parameters[name]), trainable(agent_state.genome, name)
        )
        for name in order
    }
    masks = {
        k.removeprefix("mask/"): _tensor(v) for k, v in agent_state.buffers.items() if _mask(k)
    }
    kept = {k: _tensor(v) for k, v in agent_state.buffers.items() if not _mask(k)}
    for tower in networks.towers:
        networks.tower(tower).assign(
            agent_state.genome.architecture,
            _within(weights, tower),
            {k.replace("weight", "mask"): v for k, v in _within(masks, tower).items()},
        )
    networks.kept = kept
    trained = dict(networks.trained())
    optimizer = optimisers.make(agent_state.genome.learning_rule, trained.values())
    for name, moment in agent_state.moments.items():
        if name in trained:  # by name: equal shapes in another order would be taken silently
            optimisers.set_moment(optimizer, trained[name], moment)
    return optimizer


def read_parameters(networks: Towers) -> dict[str, Array]:
    """Return copies of the live weights by name."""
    return {name: each.detach().numpy().copy() for name, each in networks.named_parameters()}


def read_buffers(networks: Towers) -> dict[str, Array]:
    """Return copies of masks and of what hooks keep, by name."""
    found = {
        f"mask/{name.removesuffix('mask')}weight": each.numpy().copy()
        for name, each in networks.named_buffers()
    }
    return found | {name: each.numpy().copy() for name, each in networks.kept.items()}


def read_moments(networks: Towers, optimizer: torch.optim.Optimizer) -> dict[str, OptimiserMoment]:
    """Return copies of the optimiser's state by name; parameters never stepped are left out."""
    kind, found = optimisers.name_of(optimizer), {}
    for name, parameter in networks.trained():
        moment = optimisers.moment_of(kind, optimizer.state.get(parameter, {}))
        if moment is not None:
            found[name] = moment
    return found


def read_architecture(networks: Towers, optimizer: torch.optim.Optimizer) -> Architecture:
    """Return what the live towers are; ``RuntimeError`` where that is no architecture we train."""
    found = {tower: networks.tower(tower).architecture() for tower in networks.towers}
    if len(set(found.values())) > 1:
        raise RuntimeError(f"the towers differ: {' and '.join(map(str, found.values()))}")
    trained = {id(each) for group in optimizer.param_groups for each in group["params"]}
    wanted = {id(each): name for name, each in networks.trained()}
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
    optimisers would then step the wrong numbers without an error.
    """
    return torch.tensor(np.asarray(value, np.float32, order="C"))
