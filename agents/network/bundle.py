"""All towers of one agent as torch modules, with the optimiser that trains them.

``assign`` writes an agent state into them; what begins with ``read_`` reads back what is in use.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from agents.architecture.initial import trainable
from agents.arrays import Array
from agents.contract import AgentState, OptimiserMoment
from agents.genome import Architecture, Genome, LearningRule
from agents.network.towers import Tower

GUARDED = frozenset({"policy", "q", "target_q"})
"""Towers whose outputs choose actions: planted constraints act on them."""
EPSILON = 1e-5  # SB3's for PPO and A2C; torch's own is 1e-8

_FIRST = {"adam": "exp_avg", "adamw": "exp_avg", "sgd": "momentum_buffer"}
_FIRST |= {"rmsprop": "momentum_buffer"}
_SECOND = {"adam": "exp_avg_sq", "adamw": "exp_avg_sq", "rmsprop": "square_avg"}


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
    optimizer = _new_optimiser(agent_state.genome.learning_rule, trained.values())
    for name, moment in agent_state.moments.items():
        if name in trained:  # by name: equal shapes in another order would be taken silently
            _set_moment(optimizer, trained[name], moment)
    return optimizer


def read_agent_state(
    genome: Genome,
    networks: Towers,
    optimizer: torch.optim.Optimizer,
    values: Mapping[str, Array] | None = None,
) -> AgentState:
    """Return copies of weights, optimiser state and buffers as the agent state of this genome."""
    weights = {name: each.detach().numpy().copy() for name, each in networks.named_parameters()}
    masks = {
        f"mask/{name.removesuffix('mask')}weight": each.numpy().copy()
        for name, each in networks.named_buffers()
    }
    buffers = masks | {name: each.numpy().copy() for name, each in networks.kept.items()}
    return AgentState(genome, weights, read_moments(networks, optimizer), buffers, values or {})


def read_moments(networks: Towers, optimizer: torch.optim.Optimizer) -> dict[str, OptimiserMoment]:
    """Return copies of the optimiser's state by name; parameters never stepped are left out."""
    kind, found = _kind(optimizer), {}
    for name, parameter in networks.trained():
        moment = _moment_of(kind, optimizer.state.get(parameter, {}))
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


def read_rule(optimizer: torch.optim.Optimizer, rule: LearningRule) -> LearningRule:
    """Return ``rule`` with the optimiser, rate, weight decay and momentum that are in use.

    The momentum of an optimiser that has none is the rule's. Raises ``RuntimeError`` where groups
    disagree.
    """
    kind = _kind(optimizer)
    found: dict[str, Any] = {"optimiser": kind}
    names = {"learning_rate": "lr", "weight_decay": "weight_decay"}
    if kind in {"sgd", "rmsprop"}:
        names["momentum"] = "momentum"
    for name, key in names.items():
        values = {group.get(key, 0.0) for group in optimizer.param_groups}
        if len(values) > 1:
            raise RuntimeError(f"the copies of {name} disagree: {sorted(values)}")
        found[name] = values.pop()
    return replace(rule, **found)


def moment_names(optimizer: torch.optim.Optimizer) -> dict[str, str]:
    """``first`` and ``second``, where the optimiser keeps them -> what torch calls them."""
    kind, found = _kind(optimizer), {}
    if kind.startswith("adam") or optimizer.param_groups[0]["momentum"] > 0:
        found["first"] = _FIRST[kind]
    if kind in _SECOND:
        found["second"] = _SECOND[kind]
    return found


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


def _new_optimiser(rule: LearningRule, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return a fresh optimiser of the rule's kind over these parameters."""
    lr, decay, momentum = rule.learning_rate, rule.weight_decay, rule.momentum
    chosen = list(parameters)
    if rule.optimiser == "adam":
        return torch.optim.Adam(chosen, lr=lr, eps=EPSILON, weight_decay=decay, fused=True)
    if rule.optimiser == "adamw":
        return torch.optim.AdamW(chosen, lr=lr, eps=EPSILON, weight_decay=decay, fused=True)
    if rule.optimiser == "rmsprop":
        return torch.optim.RMSprop(
            chosen, lr=lr, eps=EPSILON, weight_decay=decay, momentum=momentum
        )
    return torch.optim.SGD(chosen, lr=lr, weight_decay=decay, momentum=momentum)


def _kind(optimizer: torch.optim.Optimizer) -> str:
    """The genome's name for a live optimiser."""
    return type(optimizer).__name__.lower()


def _set_moment(
    optimizer: torch.optim.Optimizer, parameter: nn.Parameter, moment: OptimiserMoment
) -> None:
    """Give one parameter its state; SGD without momentum keeps none."""
    state = {
        key: torch.tensor(np.asarray(getattr(moment, which), np.float32, order="C"))
        for which, key in moment_names(optimizer).items()  # laid out as the parameter is
    }
    if _kind(optimizer) != "sgd":
        state["step"] = torch.tensor(float(moment.step), dtype=torch.float32)
    if state:
        optimizer.state[parameter] = state


def _moment_of(kind: str, state: Mapping[str, torch.Tensor]) -> OptimiserMoment | None:
    """Read one parameter's state; ``None`` where the optimiser keeps none."""
    first, second = state.get(_FIRST[kind]), state.get(_SECOND.get(kind, ""))
    known = first if first is not None else second
    if known is None:
        return None
    both = [torch.zeros_like(known) if each is None else each for each in (first, second)]
    step = float(state["step"]) if "step" in state else 0.0
    arrays = [each.detach().numpy().copy() for each in both]
    return OptimiserMoment(arrays[0], arrays[1], step)
