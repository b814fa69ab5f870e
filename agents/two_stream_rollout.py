"""A rollout of two streams of reward: one that ends with its episode, and one that goes on."""

from typing import Any, ClassVar, NamedTuple

import numpy as np
from torch import Tensor

from agents.arrays import Array
from agents.rollout import PrivateRolloutBuffer

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
    taught: ClassVar[tuple[str, ...]] = (*PrivateRolloutBuffer.taught, "intrinsic_returns")
    samples: ClassVar[Any] = TwoStreamSamples

    def reset(self) -> None:
        """Empty the buffer."""
        super().reset()
        for name in _MORE:
            setattr(self, name, np.zeros((self.buffer_size, self.n_envs), np.float32))

    def judge_endless(self, values: Array, discount: float) -> Array:
        """Fill in the second stream's values and returns; return its advantages, ``[steps, n]``.

        Generalised advantage estimation (Schulman et al. 2016) over a life in which nothing ends:
        after the last step of an episode comes the first observation of the next (Burda et al.
        2018, section 2.3). ``values``: of every step, step by step, and of what comes next ``[n]``.
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
