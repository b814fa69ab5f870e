"""PPO's update (Schulman et al. 2017, eq. 9), step for step as SB3's ``PPO.train`` does it.

SB3's own is not called because it throws away the norm of the gradient before clipping, which
editors want to see, and knows neither sharpness nor hooks (``agents.network.gradient_step``).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from torch import Tensor
from torch.nn import functional

from agents.genome import TOWERS
from agents.network.gradient_step import Row, check_weights

LOSSES = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction", "gradient_norm")


def ppo_update(
    model: Any,
    loss: "PPOLoss | None" = None,
    towers: Sequence[str] = TOWERS,
    names: Sequence[str] = LOSSES,
) -> dict[str, float]:
    """Run every epoch over ``model.rollout_buffer``; return the mean of each of ``names``.

    ``loss`` (``ppo_loss`` by default) trains ``towers`` and reports all of ``names`` but the last,
    which is the gradient's norm; the mean KL stands where ``LOSSES`` has it. No further epoch is
    begun once the mean KL of one is over 1.5 times ``target_kl``. Raises ``FloatingPointError``
    before a step that would make the weights non-finite.
    """
    policy, clip_range, of = model.policy, model.clip_range(1.0), loss or ppo_loss
    rows: list[Tensor] = []
    model.epochs_done = 0
    for _ in range(model.n_epochs):
        first = len(rows)
        for batch in model.rollout_buffer.get(model.batch_size):
            inputs = dict.fromkeys(towers, batch.observations)
            row, norm = model.stepper.step(
                policy,
                policy.optimizer,
                lambda batch=batch: of(model, batch, clip_range),
                inputs,
            )
            rows.append(torch.stack((*row, norm)))
        model._n_updates += 1  # noqa: SLF001 - SB3's counter of epochs
        model.epochs_done += 1
        if model.target_kl and float(torch.stack(rows[first:])[:, 3].mean()) > _TOLERANCE * (
            model.target_kl
        ):
            break
    check_weights(policy)
    means = torch.stack(rows).mean(0).tolist()
    return dict(zip(names, means, strict=True))


PPOLoss = Callable[[Any, Any, float], tuple[Tensor, Row]]
"""(model, minibatch, clip range) -> loss, and what is reported of it."""
_TOLERANCE = 1.5  # as in SB3, which stops within the epoch


def ppo_loss(model: Any, batch: RolloutBufferSamples, clip_range: float) -> tuple[Tensor, Row]:
    """Return the loss of one minibatch, and all of ``LOSSES`` but the norm, detached."""
    actions = batch.actions.long().flatten()
    values, log_prob, entropies = model.policy.evaluate_actions(batch.observations, actions)
    advantages = batch.advantages
    if len(advantages) > 1:
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    log_ratio = log_prob - batch.old_log_prob
    ratio = torch.exp(log_ratio)
    clipped = torch.clamp(ratio, 1 - clip_range, 1 + clip_range)
    policy_loss = -torch.min(advantages * ratio, advantages * clipped).mean()
    value_loss = functional.mse_loss(batch.returns, values.flatten())
    entropy_loss = -torch.mean(entropies)
    loss = policy_loss + model.ent_coef * entropy_loss + model.vf_coef * value_loss
    with torch.no_grad():
        approx_kl = torch.mean((ratio - 1) - log_ratio)
        clip_fraction = torch.mean((torch.abs(ratio - 1) > clip_range).float())
    row = (policy_loss.detach(), value_loss.detach(), -entropy_loss.detach())
    return loss, (*row, approx_kl, clip_fraction)
