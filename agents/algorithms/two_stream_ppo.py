"""PPO with two streams of reward, two value heads and one policy (Burda et al. 2018).

A stream's reward is the mean reward of its objectives, weighted by the genome's weights, so that
its value head learns in the unit of its objectives. Its coefficient is the sum of the weights'
sizes: ``A = c_episodic A_episodic + c_endless A_endless``. With one objective in each stream these
are the paper's ``A = c_e A_e + c_i A_i``, and its weights are the ``c``.

A rollout of two streams of reward: one that ends with its episode, and one that goes on.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
from torch import Tensor
from torch.nn import functional

from agents.algorithms.buffers import PrivateRolloutBuffer
from agents.algorithms.ppo import RewritablePPO
from agents.algorithms.ppo_update import LOSSES, ppo_loss, ppo_update
from agents.arrays import Array
from agents.contract import AgentState, Batch
from agents.engine import updates
from agents.engine.engine import Engine
from agents.engine.look import EngineLook
from agents.engine.losses import Evaluated
from agents.genome import TOWERS, TWO_STREAM_TOWERS, LearningRule, TwoStreamRule
from agents.network.gradient_step import Row
from agents.network.sb3_policy import AgentPolicy
from agents.network.towers import Tower
from agents.training.reward_mixing import objective_reward, shares

_MORE = ("intrinsic_rewards", "intrinsic_values", "intrinsic_returns")


class TwoStreamSamples(NamedTuple):
    """A minibatch: SB3's columns, and what the second value head learns, ``[n]``."""

    observations: Tensor
    actions: Tensor
    old_values: Tensor
    old_log_prob: Tensor
    advantages: Tensor  # of both streams together
    returns: Tensor
    intrinsic_returns: Tensor


class TwoStreamBuffer(PrivateRolloutBuffer):
    """SB3's columns are the episodic stream's; three more, ``[steps, n]``, are the other's."""

    kept: ClassVar[tuple[str, ...]] = (*PrivateRolloutBuffer.kept, *_MORE)
    learned_columns: ClassVar[tuple[str, ...]] = (
        *PrivateRolloutBuffer.learned_columns,
        "intrinsic_returns",
    )
    samples: ClassVar[Any] = TwoStreamSamples

    def reset(self) -> None:
        """Empty the buffer."""
        super().reset()
        for name in _MORE:
            setattr(self, name, np.zeros((self.buffer_size, self.n_envs), np.float32))

    def judge_endless(self, values: Array, discount: float) -> Array:
        """Fill in the second stream's values and returns; return its advantages, ``[steps, n]``.

        Generalised advantage estimation (Schulman et al. 2016) over episodes joined into one: after
        the last step of an episode comes the first observation of the next (Burda et al. 2018,
        section 2.3). ``values``: of every step, step by step, and of what comes next ``[n]``.
        """
        known = values.reshape(self.buffer_size + 1, self.n_envs)
        surprise = self.intrinsic_rewards + discount * known[1:] - known[:-1]
        advantages: Array = np.zeros_like(surprise)
        ahead: Array = np.zeros(self.n_envs, np.float32)
        for t in reversed(range(self.buffer_size)):
            ahead = surprise[t] + discount * self.gae_lambda * ahead
            advantages[t] = ahead
        self.intrinsic_values[:] = known[:-1]
        self.intrinsic_returns[:] = advantages + known[:-1]
        return advantages


TWO_STREAM_LOSSES = (*LOSSES[:-1], "intrinsic_value_loss", LOSSES[-1])


class TwoStreamPolicy(AgentPolicy):
    """Three towers: the policy, and a value for each stream."""

    names: ClassVar[tuple[str, ...]] = TWO_STREAM_TOWERS
    intrinsic_value: Tower


class RewritableTwoStreams(RewritablePPO):
    """One agent; see ``RewritablePPO``.

    The second stream ignores ends of episodes: its advantages, returns and values continue across
    them, with a discount of their own. While all its weights are 0 its head is not trained, and the
    agent is bit for bit PPO on the first stream.
    """

    rule_type: ClassVar[type[LearningRule]] = TwoStreamRule
    policy_type: ClassVar[type[AgentPolicy]] = TwoStreamPolicy
    buffer_type: ClassVar[type[PrivateRolloutBuffer]] = TwoStreamBuffer

    def install(self, agent_state: AgentState) -> None:
        """Install this agent state; ``ValueError`` naming every problem, and nothing changed."""
        named = getattr(agent_state.genome.learning_rule, "episodic", ())
        unknown = [name for name in named if name not in {"extrinsic", *self._live_objectives}]
        if unknown:
            raise ValueError(f"episodic names no objective of this agent: {', '.join(unknown)}")
        super().install(agent_state)

    def coefficients(self) -> tuple[float, float]:
        """Of the advantages of the episodic stream and of the other; never negative.

        Sums of |weight| times mixing weight (alpha); a stream with coefficient 0 is not trained.
        """
        found, alphas = [0.0, 0.0], shares(self._live_objectives, self._weights)
        for name, weight in self._weights.items():
            found[self._stream(name)] += alphas[name] * abs(weight)
        return found[0], found[1]

    def values(self, observations: Array) -> Array:
        """State values for the policy: both heads, times their coefficients, ``[n]``."""
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

    def _reward_rollout(self, rollout: Batch) -> None:
        alphas, buffer = shares(self._live_objectives, self._weights), self.rollout_buffer
        streams, totals = np.zeros((2, *rollout.reward.shape)), self.coefficients()
        for name, weight in self._weights.items():
            reward = objective_reward(name, self._live_objectives[name], rollout, self.updates)
            share, k = alphas[name] * weight, self._stream(name)
            self._reward_sums[name] += float((share * reward).sum())
            if share:
                streams[k] += (share / totals[k]) * reward
        buffer.rewards[:], buffer.intrinsic_rewards[:] = streams

    def _value_rollout(self, observations: Array) -> None:
        super()._value_rollout(observations)
        buffer, rule = self.rollout_buffer, self._rule
        first, second = self.coefficients()
        buffer.advantages *= first
        if second:
            values = self._worth("intrinsic_value", self._rollout_inputs(observations))
            buffer.advantages += second * buffer.judge_endless(values, rule.intrinsic_discount)

    def _learning_towers(self) -> tuple[str, ...]:
        return TWO_STREAM_TOWERS if self.coefficients()[1] else TOWERS

    def _update(self) -> dict[str, float]:
        towers = self._learning_towers()
        if self.engine:
            return updates.ppo_update(self, towers, TWO_STREAM_LOSSES)
        return ppo_update(self, two_stream_loss, towers, TWO_STREAM_LOSSES)

    def _engine_look(self, engine: Engine, rows: Array) -> EngineLook:
        inputs, steps = updates.whole_rollout(self, rows)
        trained, head = len(self._learning_towers()), self._head(steps)

        def of_all(outputs: Sequence[Array]) -> Evaluated:
            found = head(outputs[:trained])  # a ``Look`` needs every tower; the others' gradient: 0
            idle = [np.zeros_like(each) for each in outputs[trained:]]
            return found._replace(slopes=(*found.slopes, *idle))

        return EngineLook(engine, TWO_STREAM_TOWERS, inputs, of_all)

    def _loss(self, batch: Any) -> Tensor:
        loss = two_stream_loss(self, batch, self.clip_range(1.0))[0]
        if self.coefficients()[1]:
            return loss
        seen: Tensor = self.policy.intrinsic_value(batch.observations)
        return loss + 0.0 * seen.sum()  # a ``Look`` needs every tower; gradient 0


def two_stream_loss(model: Any, batch: Any, clip_range: float) -> tuple[Tensor, Row]:
    """PPO's loss on both streams' advantages, and the squared error of the second head."""
    loss, row = ppo_loss(model, batch, clip_range)
    if not model.coefficients()[1]:
        return loss, (*row, loss.new_zeros(()))
    values = model.policy.intrinsic_value(batch.observations).flatten()
    value_loss = functional.mse_loss(batch.intrinsic_returns, values)
    return loss + model.vf_coef * value_loss, (*row, value_loss.detach())
