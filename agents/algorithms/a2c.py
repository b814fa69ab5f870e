"""A2C as a rewritable learner: PPO's, with one gradient step on the whole rollout.

A2C's update (Mnih et al. 2016), step for step as SB3's ``A2C.train`` does it.

One gradient step on the whole rollout: no ratio, no clip, and advantages as they are.
"""

from typing import Any, ClassVar

import torch
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from torch import Tensor
from torch.nn import functional

from agents.algorithms.ppo import RewritablePPO
from agents.engine import updates
from agents.engine.engine import Head
from agents.engine.losses import Steps
from agents.genome import TOWERS, A2CRule, LearningRule
from agents.network.gradient_step import Row, check_weights


class RewritableA2C(RewritablePPO):
    """One agent; see ``RewritablePPO``. SB3's A2C differs from its PPO in ``train`` alone."""

    rule_type: ClassVar[type[LearningRule]] = A2CRule

    def _update(self) -> dict[str, float]:
        if self.engine:
            return updates.a2c_update(self, LOSSES)
        return a2c_update(self)

    def _head(self, steps: Steps) -> Head:
        return updates.a2c_head(self, steps)

    def _loss(self, batch: Any) -> Tensor:
        return a2c_loss(self, batch)[0]


LOSSES = ("policy_loss", "value_loss", "entropy", "gradient_norm")


def a2c_update(model: Any) -> dict[str, float]:
    """Do one step on ``model.rollout_buffer``; return each of ``LOSSES``.

    Raises ``FloatingPointError`` before a step that would make the weights non-finite.
    """
    policy, buffer = model.policy, model.rollout_buffer
    batch = buffer.whole()
    row, norm = model.stepper.step(
        policy,
        policy.optimizer,
        lambda: a2c_loss(model, batch),
        dict.fromkeys(TOWERS, batch.observations),
    )
    model._n_updates += 1  # noqa: SLF001 - SB3's counter
    model.epochs_done = 1
    check_weights(policy)
    return dict(zip(LOSSES, torch.stack((*row, norm)).tolist(), strict=True))


def a2c_loss(model: Any, batch: RolloutBufferSamples) -> tuple[Tensor, Row]:
    """Return the loss of these steps, and all of ``LOSSES`` but the norm, detached."""
    actions = batch.actions.long().flatten()
    values, log_prob, entropies = model.policy.evaluate_actions(batch.observations, actions)
    policy_loss = -(batch.advantages * log_prob).mean()
    value_loss = functional.mse_loss(batch.returns, values.flatten())
    entropy_loss = -torch.mean(entropies)
    loss = policy_loss + model.ent_coef * entropy_loss + model.vf_coef * value_loss
    return loss, (policy_loss.detach(), value_loss.detach(), -entropy_loss.detach())
