"""DQN (Mnih et al. 2015): Q-learning from a replay buffer, with a target network.

One gradient step is SB3's ``DQN.train``: Huber loss of width 1 towards ``r + discount max_a
Q_target(s', a)``, the second term 0 after termination but not after truncation.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from agents.algorithms.off_policy import Minibatch, ReplayLearner, follow
from agents.arrays import Array
from agents.contract import Look
from agents.engine.engine import Engine, Head
from agents.engine.look import EngineLook
from agents.engine.losses import dqn_loss
from agents.genome import DQNRule, LearningRule


class DeepQ(ReplayLearner):
    """One agent; its logits are action values."""

    rule_type: ClassVar[type[LearningRule]] = DQNRule
    viewed: ClassVar[str] = "q"

    def values(self, observations: Array) -> Array:
        """State values, float32 ``[n]``: the best action's."""
        found: Array = self.logits(observations).max(1)
        return found

    def sample(
        self,
        observations: Array,
        rng: np.random.Generator,
        choices: Callable[[Array], Array] = lambda logits: logits,
    ) -> Array:
        """The best of the ``choices``, or a random one at the rule's final exploration rate."""
        return _greedy(choices(self.logits(observations)), self._rule().exploration, rng)

    def look(self) -> Look | None:
        """The last rollout and the loss on it, up to 1024 steps, evenly spaced."""
        if self.engine is None or not len(self.replay):
            return super().look()
        minibatch = self._minibatch(self._newest())
        head = self._head(self.engine, minibatch)
        followers = {"target_q": minibatch.following.numpy()}
        return EngineLook(self.engine, ("q",), minibatch.inputs.numpy(), head, followers)

    def exploration(self) -> float:
        """Share of random actions in the next rollout: linear in the updates done."""
        rule = self._rule()
        done = min(self.updates / rule.exploration_updates, 1.0)
        return (1 - done) * rule.exploration_start + done * rule.exploration

    def _rule(self) -> DQNRule:
        rule = self.stepper.rule
        if not isinstance(rule, DQNRule):
            raise TypeError(f"only a DQNRule can be installed, not {type(rule).__name__}")
        return rule

    def _choose(self, inputs: Array) -> Array:
        t = len(self._diary)
        if not t:  # a rollout begins: all of its chance in one go
            shape = self.sizes.steps, len(inputs)
            self._wanders = self.chance("actions").random(shape) < self.exploration()
            self._random = self.chance("actions").integers(self.actions, size=shape)
        found: Array = np.where(self._wanders[t], self._random[t], self.logits(inputs).argmax(1))
        return found

    def _gradient_step(self, minibatch: Minibatch) -> dict[str, float]:
        row: Sequence[Any]
        norm: Any
        if self.engine:
            head = self._head(self.engine, minibatch)
            row, norm = self.engine.step(self.stepper, minibatch.inputs.numpy(), head)
        else:
            inputs = {"q": minibatch.inputs}
            row, norm = self.stepper.step(
                self.networks, self.optimizer, lambda: self._loss(minibatch), inputs
            )
        values = map(float, (*row, norm))
        return dict(zip(("loss", "q_value", "gradient_norm"), values, strict=True))

    def _head(self, engine: Engine, minibatch: Minibatch) -> Head:
        """The loss on a minibatch, given the tower's outputs."""
        ahead = engine.outputs("target_q", minibatch.following.numpy()).max(1)
        remains = np.float32(self._rule().discount) * (1 - minibatch.terminated.numpy())
        wanted = minibatch.rewards.numpy() + remains * ahead
        at = minibatch.actions.numpy() * len(wanted) + np.arange(len(wanted))
        return partial(dqn_loss, at=at, wanted=wanted)

    def _loss(self, minibatch: Minibatch) -> tuple[Tensor, tuple[Tensor, ...]]:
        with torch.no_grad():
            ahead = self.networks.tower("target_q")(minibatch.following).max(dim=1)[0]
            wanted = minibatch.rewards + (1 - minibatch.terminated) * self._rule().discount * ahead
        found = self.networks.tower("q")(minibatch.inputs)
        taken = found.gather(1, minibatch.actions.unsqueeze(1)).squeeze(1)
        loss = functional.smooth_l1_loss(taken, wanted)
        return loss, (loss.detach(), taken.detach().mean())

    def _whole_loss(self, minibatch: Minibatch) -> Tensor:
        return self._loss(minibatch)[0]

    def _after_update(self) -> dict[str, float]:
        rule = self._rule()
        if self.updates % rule.target_every == 0:
            follow(self.networks.tower("target_q"), self.networks.tower("q"), rule.target_rate)
        return {"exploration": self.exploration()}


def _greedy(values: Array, exploration: float, rng: np.random.Generator) -> Array:
    """The best action of each row, int64 ``[n]``, or a random one; always draws equally often."""
    n, actions = values.shape
    wanders = rng.random(n) < exploration
    found: Array = np.where(wanders, rng.integers(actions, size=n), values.argmax(1))
    return found
