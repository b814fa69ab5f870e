"""An SB3 actor-critic policy whose two towers are this project's rewritable network."""

from typing import Any, ClassVar

import torch
from stable_baselines3.common.distributions import Distribution
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor

from agents.genome import TOWERS
from agents.network.bundle import Towers
from agents.network.towers import Tower


class AgentPolicy(Towers, ActorCriticPolicy):  # type: ignore[misc]
    """SB3's policy with our parameter names; observations are float ``[n, size]``.

    Built with empty weights: the caller installs an agent state next. Log probabilities are
    computed here, not by ``torch.distributions``, whose argument checks cost more than the softmax.
    """

    names: ClassVar[tuple[str, ...]] = TOWERS
    policy: Tower
    value: Tower
    action_dist: Any

    def _build(self, lr_schedule: Any) -> None:
        del lr_schedule
        self.add_towers(self.names)
        self.optimizer: torch.optim.Optimizer | None = None

    def evaluate_actions(self, obs: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return values ``[n, 1]``, log probabilities of ``actions`` (int64 ``[n]``), entropies."""
        log_p = torch.log_softmax(self.policy(obs), dim=1)
        chosen = log_p.gather(1, actions.unsqueeze(1)).squeeze(1)
        return self.value(obs), chosen, -(log_p.exp() * log_p).sum(1)

    def predict_values(self, obs: Tensor) -> Tensor:
        """Return values, ``[n, 1]``."""
        values: Tensor = self.value(obs)
        return values

    def get_distribution(self, obs: Tensor) -> Distribution:
        """Return SB3's distribution object, for SB3's own ``predict``."""
        return self.action_dist.proba_distribution(action_logits=self.policy(obs))

    def forward(self, obs: Tensor, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Return SB3's (actions, values, log probabilities); samples from torch's global stream."""
        distribution = self.get_distribution(obs)
        actions = distribution.get_actions(deterministic=deterministic)
        return actions, self.predict_values(obs), distribution.log_prob(actions)
