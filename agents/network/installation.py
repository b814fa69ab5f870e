"""Writes an agent state into a live SB3 PPO or A2C, and reads its learning rule back.

SB3 keeps copies of a number in several places; ``_write_rule`` sets all of them, and
``read_sb3_rule`` reads the ones in use and raises an error when copies disagree.
"""

from dataclasses import replace
from typing import Any

from stable_baselines3.common.utils import FloatSchedule

from agents.architecture.cost import parameter_shapes
from agents.contract import AgentState
from agents.genome import Genome, LearningRule
from agents.network.bundle import assign, read_rule


def write_agent_state(model: Any, agent_state: AgentState) -> None:
    """Write this valid agent state into ``model``. Same towers, no random number drawn."""
    order = parameter_shapes(agent_state.genome, model.observation_size, model.actions)
    model.policy.optimizer = assign(model.policy, agent_state, order)
    _write_rule(model, agent_state.genome.learning_rule)
    _publish(model, agent_state.genome)


def _write_rule(model: Any, rule: LearningRule) -> None:
    """Set every copy of every number of the learning rule that SB3 keeps."""
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
    model.target_kl = rule.target_kl or None
    model.stepper.adopt(rule)


def read_sb3_rule(model: Any) -> LearningRule:
    """Return the numbers the next update will use; ``RuntimeError`` where copies disagree.

    What SB3 has no place for is read from the stepper, which uses it.
    """
    buffer, live = model.rollout_buffer, read_rule(model.policy.optimizer, model.stepper.rule)
    rates = {model.lr_schedule(1.0), live.learning_rate}
    return replace(
        live,
        learning_rate=_agreed("learning rate", rates),
        discount=_agreed("discount", {model.gamma, buffer.gamma}),
        gae_lambda=_agreed("gae_lambda", {model.gae_lambda, buffer.gae_lambda}),
        clip_range=model.clip_range(1.0),
        entropy_coefficient=model.ent_coef,
        value_coefficient=model.vf_coef,
        max_grad_norm=model.max_grad_norm,
        epochs=model.n_epochs,
        minibatch=model.batch_size,
        target_kl=model.target_kl or 0.0,
    )


def _agreed(name: str, copies: set[Any]) -> Any:
    if len(copies) > 1:
        raise RuntimeError(f"the copies of {name} disagree: {sorted(copies)}")
    return copies.pop()


def _publish(model: Any, genome: Genome) -> None:
    """Update SB3's own records, in new objects: the caller may share the old ones."""
    widths = [*genome.architecture.widths()]
    model.policy.net_arch = {"pi": widths, "vf": [*widths]}
    model.policy_kwargs = {**model.policy_kwargs, "net_arch": {"pi": widths, "vf": [*widths]}}
