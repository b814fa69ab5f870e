"""PPO's update (Schulman et al. 2017, eq. 9), step for step as SB3's ``PPO.train`` does it.

SB3's own is not called because it throws away the norm of the gradient before clipping, which
editors want to see, and steps on a non-finite gradient, after which the mind is lost.
"""

from typing import Any

import torch
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from torch import Tensor
from torch.nn import functional

LOSSES = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction", "gradient_norm")


def ppo_update(model: Any) -> dict[str, float]:
    """Run every epoch over ``model.rollout_buffer``; return the mean of each of ``LOSSES``.

    Raises ``FloatingPointError`` before a step that would make the weights non-finite.
    """
    policy, clip_range = model.policy, model.clip_range(1.0)
    rows = []
    for _ in range(model.n_epochs):
        for batch in model.rollout_buffer.get(model.batch_size):
            loss, row = _loss(model, batch, clip_range)
            policy.optimizer.zero_grad()
            torch.autograd.backward(loss)
            norm = torch.nn.utils.clip_grad_norm_(policy.parameters(), model.max_grad_norm)
            if not torch.isfinite(norm + loss.detach()):
                raise FloatingPointError(_complaint(loss, norm))
            policy.optimizer.step()
            rows.append(torch.stack((*row, norm)))
        model._n_updates += 1  # noqa: SLF001 - SB3's counter of epochs
    _check_weights(policy)
    means = torch.stack(rows).mean(0).tolist()
    return dict(zip(LOSSES, means, strict=True))


def _loss(
    model: Any, batch: RolloutBufferSamples, clip_range: float
) -> tuple[Tensor, tuple[Tensor, ...]]:
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


def _complaint(loss: Tensor, norm: Tensor) -> str:
    return f"non-finite loss ({loss.item():g}) or gradient norm ({norm.item():g})"


def _check_weights(policy: torch.nn.Module) -> None:
    bad = [name for name, each in policy.named_parameters() if not bool(each.isfinite().all())]
    if bad:
        raise FloatingPointError(f"non-finite weights in {', '.join(bad)}")
