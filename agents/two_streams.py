"""PPO with two streams of reward, two value heads and one policy (Burda et al. 2018).

A stream's reward is the mean of what its objectives pay, weighted by the genome's weights, so that
its value head learns in the unit of its objectives. Its coefficient is the sum of the weights'
sizes: ``A = c_episodic A_episodic + c_endless A_endless``. With one objective in each stream these
are the paper's ``A = c_e A_e + c_i A_i``, and its weights are the ``c``.
"""

from typing import Any, ClassVar, cast

import numpy as np
from torch import Tensor
from torch.nn import functional

from agents.arrays import Array
from agents.contract import Batch, Mind
from agents.genome import TOWERS, TWO_STREAM_TOWERS, LearningRule, TwoStreamRule
from agents.network.gradient_step import Row
from agents.network.sb3_policy import MindPolicy
from agents.network.towers import Tower
from agents.ppo_update import LOSSES, ppo_loss, ppo_update
from agents.rewritable import RewritablePPO
from agents.rollout import PrivateRolloutBuffer
from agents.training.reward_mixing import paid, shares
from agents.two_stream_rollout import TwoStreamBuffer

TWO_STREAM_LOSSES = (*LOSSES[:-1], "intrinsic_value_loss", LOSSES[-1])


class TwoStreamPolicy(MindPolicy):
    """Three towers: the policy, and a value for each stream."""

    names: ClassVar[tuple[str, ...]] = TWO_STREAM_TOWERS
    intrinsic_value: Tower


class RewritableTwoStreams(RewritablePPO):
    """One agent; see ``RewritablePPO``.

    Ends of episodes mean nothing to the second stream: its advantages, returns and values go on
    across them, with a discount of their own. While all its weights are 0 its head rests, and the
    agent is PPO on the first stream, to the bit.
    """

    rule_type: ClassVar[type[LearningRule]] = TwoStreamRule
    policy_type: ClassVar[type[MindPolicy]] = TwoStreamPolicy
    buffer_type: ClassVar[type[PrivateRolloutBuffer]] = TwoStreamBuffer

    def install(self, mind: Mind) -> None:
        """Become this mind; ``ValueError`` naming all that is wrong with it, nothing changed."""
        named = getattr(mind.genome.learning_rule, "episodic", ())
        unknown = [name for name in named if name not in {"extrinsic", *self._motives}]
        if unknown:
            raise ValueError(f"episodic names no objective of this agent: {', '.join(unknown)}")
        super().install(mind)

    def coefficients(self) -> tuple[float, float]:
        """Of the advantages of the episodic stream and of the other; never negative.

        Weights, times what say a handover leaves them: a stream that has none is as if not there.
        """
        found, says = [0.0, 0.0], shares(self._motives, self._weights)
        for name, weight in self._weights.items():
            found[self._stream(name)] += says[name] * abs(weight)
        return found[0], found[1]

    def values(self, observations: Array) -> Array:
        """What states are worth to the policy: both heads, times their coefficients, ``[n]``."""
        first, second = self.coefficients()
        found = first * self._worth("value", observations)
        if second:
            found += second * self._worth("intrinsic_value", observations)
        return found

    # --- parts ---------------------------------------------------------------------------------

    def _stream(self, name: str) -> int:
        """0: its rewards end with the episode; 1: they do not."""
        return int(name not in self._rule.episodic)

    @property
    def _rule(self) -> TwoStreamRule:
        return cast("TwoStreamRule", self.stepper.rule)

    def _pay(self, batch: Batch, t: int) -> None:
        says = shares(self._motives, self._weights)
        streams, totals = np.zeros((2, len(batch.reward))), self.coefficients()
        for name, weight in self._weights.items():
            reward = paid(name, self._motives[name], batch, self.updates + 1)
            share, k = says[name] * weight, self._stream(name)
            self._earned[name] += float((share * reward).sum())
            if share:
                streams[k] += (share / totals[k]) * reward
        self.rollout_buffer.rewards[t], self.rollout_buffer.intrinsic_rewards[t] = streams

    def _value_rollout(self, observations: Array) -> None:
        super()._value_rollout(observations)
        buffer, rule = self.rollout_buffer, self._rule
        first, second = self.coefficients()
        buffer.advantages *= first
        if second:
            values = self._worth("intrinsic_value", self._lived(observations))
            buffer.advantages += second * buffer.judge_endless(values, rule.intrinsic_discount)

    def _update(self) -> dict[str, float]:
        towers = TWO_STREAM_TOWERS if self.coefficients()[1] else TOWERS
        return ppo_update(self, two_stream_loss, towers, TWO_STREAM_LOSSES)

    def _loss(self, batch: Any) -> Tensor:
        loss = two_stream_loss(self, batch, self.clip_range(1.0))[0]
        if self.coefficients()[1]:
            return loss
        seen: Tensor = self.policy.intrinsic_value(batch.observations)
        return loss + 0.0 * seen.sum()  # a look sees every tower, one at rest with no slope


def two_stream_loss(model: Any, batch: Any, clip_range: float) -> tuple[Tensor, Row]:
    """PPO's loss on both streams' advantages, and the squared error of the second head."""
    loss, row = ppo_loss(model, batch, clip_range)
    if not model.coefficients()[1]:
        return loss, (*row, loss.new_zeros(()))
    values = model.policy.intrinsic_value(batch.observations).flatten()
    value_loss = functional.mse_loss(batch.intrinsic_returns, values)
    return loss + model.vf_coef * value_loss, (*row, value_loss.detach())
