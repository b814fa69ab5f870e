"""Optimisers by the genome's name for them, and their state by parameter name."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import nn

from agents.contract import OptimiserMoment
from agents.genome import LearningRule

EPSILON = 1e-5  # SB3's for PPO and A2C; torch's own is 1e-8
State = dict[str, torch.Tensor]

_FIRST = {"adam": "exp_avg", "adamw": "exp_avg", "sgd": "momentum_buffer"}
_FIRST |= {"rmsprop": "momentum_buffer"}
_SECOND = {"adam": "exp_avg_sq", "adamw": "exp_avg_sq", "rmsprop": "square_avg"}


def make(rule: LearningRule, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
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


def name_of(optimizer: torch.optim.Optimizer) -> str:
    """The genome's name for a live optimiser."""
    return type(optimizer).__name__.lower()


def read_rule(optimizer: torch.optim.Optimizer) -> dict[str, object]:
    """Read ``optimiser``, ``learning_rate``, ``weight_decay`` and ``momentum`` back.

    Raises ``RuntimeError`` where groups disagree.
    """
    found: dict[str, object] = {"optimiser": name_of(optimizer)}
    names = {"learning_rate": "lr", "weight_decay": "weight_decay", "momentum": "momentum"}
    for name, key in names.items():
        values = {group.get(key, 0.0) for group in optimizer.param_groups}
        if len(values) > 1:
            raise RuntimeError(f"the copies of {name} disagree: {sorted(values)}")
        found[name] = values.pop()
    return found


def set_moment(
    optimizer: torch.optim.Optimizer, parameter: nn.Parameter, moment: OptimiserMoment
) -> None:
    """Give one parameter its state; SGD without momentum keeps none."""
    kind, state = name_of(optimizer), State()
    first, second = (
        torch.tensor(np.asarray(each, np.float32, order="C"))  # laid out as the parameter is
        for each in (moment.first, moment.second)
    )
    keeps_first = kind.startswith("adam") or optimizer.param_groups[0]["momentum"] > 0
    if kind != "sgd":
        state["step"] = torch.tensor(float(moment.step), dtype=torch.float32)
        state[_SECOND[kind]] = second
    if keeps_first:
        state[_FIRST[kind]] = first
    if state:
        optimizer.state[parameter] = state


def moment_of(kind: str, state: Mapping[str, torch.Tensor]) -> OptimiserMoment | None:
    """Read one parameter's state; ``None`` where the optimiser keeps none."""
    first, second = state.get(_FIRST[kind]), state.get(_SECOND.get(kind, ""))
    known = first if first is not None else second
    if known is None:
        return None
    both = [torch.zeros_like(known) if each is None else each for each in (first, second)]
    step = float(state["step"]) if "step" in state else 0.0
    arrays = [each.detach().numpy().copy() for each in both]
    return OptimiserMoment(arrays[0], arrays[1], step)
