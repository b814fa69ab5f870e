"""Puts a mind into a live SB3 PPO and reads it back; everything is checked before anything moves.

SB3 keeps copies of a number in several places; ``write_rule`` sets all of them, and ``read_rule``
reads the ones that count and refuses to answer when copies disagree.
"""

from collections.abc import Mapping
from typing import Any

import torch
from stable_baselines3.common.utils import FloatSchedule
from torch import nn

from agents.contract import Array, Mind, Moment
from agents.genome import TOWERS, Architecture, Genome, LearningRule
from agents.network import set_parameter
from agents.policy import MindPolicy


def write_mind(model: Any, mind: Mind) -> None:
    """Make ``model`` this mind, which is sound. Same modules, no random number drawn.

    All that can fail (memory) happens first: tensors are built beside the old ones, then swapped.
    """
    policy: MindPolicy = model.policy
    weights = {name: nn.Parameter(_tensor(value)) for name, value in mind.parameters.items()}
    moments = {name: _adam_state(moment) for name, moment in mind.moments.items()}
    for tower in TOWERS:
        policy.get_submodule(tower).arrange(mind.genome.architecture)
    for name, value in weights.items():
        set_parameter(policy, name, value)
    optimizer = policy.renew_optimizer(mind.genome.learning_rule.learning_rate)
    for name, parameter in policy.named_parameters():
        if name in moments:  # by name: equal shapes in another order would be taken silently
            optimizer.state[parameter] = moments[name]
    write_rule(model, mind.genome.learning_rule)
    _publish(model, mind.genome)


def read_parameters(policy: MindPolicy) -> dict[str, Array]:
    """Return copies of the live weights by name."""
    return {name: each.detach().numpy().copy() for name, each in policy.named_parameters()}


def read_moments(policy: MindPolicy) -> dict[str, Moment]:
    """Return copies of Adam's state by parameter name; parameters never stepped are left out."""
    state = policy.optimizer.state
    return {
        name: _moment(state[parameter])
        for name, parameter in policy.named_parameters()
        if state.get(parameter)
    }


def read_architecture(policy: MindPolicy) -> Architecture:
    """Return what the live towers are; ``RuntimeError`` where that is no architecture we train."""
    found: dict[str, Architecture] = {
        tower: policy.get_submodule(tower).architecture() for tower in TOWERS
    }
    if found["policy"] != found["value"]:
        raise RuntimeError(f"the towers differ: {found['policy']} and {found['value']}")
    trained = {id(each) for group in policy.optimizer.param_groups for each in group["params"]}
    orphans = [name for name, each in policy.named_parameters() if id(each) not in trained]
    if orphans or len(trained) != len(list(policy.parameters())):
        raise RuntimeError(f"the optimiser does not train this network: {', '.join(orphans)}")
    return found["policy"]


def write_rule(model: Any, rule: LearningRule) -> None:
    """Set every copy of every number of the learning rule."""
    model.learning_rate = rule.learning_rate
    model.lr_schedule = FloatSchedule(rule.learning_rate)
    for group in model.policy.optimizer.param_groups:
        group["lr"] = rule.learning_rate
    model.gamma = model.rollout_buffer.gamma = rule.discount
    model.gae_lambda = model.rollout_buffer.gae_lambda = rule.gae_lambda
    model.clip_range = FloatSchedule(rule.clip_range)
    model.ent_coef = rule.entropy_coefficient
    model.vf_coef = rule.value_coefficient
    model.max_grad_norm = rule.max_grad_norm
    model.n_epochs = rule.epochs
    model.batch_size = rule.minibatch


def read_rule(model: Any) -> LearningRule:
    """Return the numbers the next update will use; ``RuntimeError`` where copies disagree."""
    buffer, groups = model.rollout_buffer, model.policy.optimizer.param_groups
    rates = {model.lr_schedule(1.0), *(group["lr"] for group in groups)}
    return LearningRule(
        learning_rate=_agreed("learning rate", rates),
        discount=_agreed("discount", {model.gamma, buffer.gamma}),
        gae_lambda=_agreed("gae_lambda", {model.gae_lambda, buffer.gae_lambda}),
        clip_range=model.clip_range(1.0),
        entropy_coefficient=model.ent_coef,
        value_coefficient=model.vf_coef,
        max_grad_norm=model.max_grad_norm,
        epochs=model.n_epochs,
        minibatch=model.batch_size,
    )


def _agreed(name: str, copies: set[float]) -> float:
    if len(copies) > 1:
        raise RuntimeError(f"the copies of {name} disagree: {sorted(copies)}")
    return copies.pop()


def _publish(model: Any, genome: Genome) -> None:
    """Tell SB3's own records, in new objects: the caller may share the old ones."""
    widths = [*genome.architecture.widths()]
    model.policy.net_arch = {"pi": widths, "vf": [*widths]}
    model.policy_kwargs = {**model.policy_kwargs, "net_arch": {"pi": widths, "vf": [*widths]}}


def _tensor(value: Array) -> torch.Tensor:
    """Copy into torch's own (aligned) memory, float32."""
    return torch.tensor(value, dtype=torch.float32)


def _adam_state(moment: Moment) -> Mapping[str, torch.Tensor]:
    return {
        "step": torch.tensor(float(moment.step), dtype=torch.float32),
        "exp_avg": _tensor(moment.first),
        "exp_avg_sq": _tensor(moment.second),
    }


def _moment(state: Mapping[str, torch.Tensor]) -> Moment:
    first, second = (state[name].detach().numpy().copy() for name in ("exp_avg", "exp_avg_sq"))
    return Moment(first, second, float(state["step"]))
