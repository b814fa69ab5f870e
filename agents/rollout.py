"""SB3's rollout buffer with a private shuffle and a mask for agents that have left."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import RolloutBufferSamples

from agents.arrays import Array


class PrivateRolloutBuffer(RolloutBuffer):  # type: ignore[misc]
    """Shuffles with its own generator (SB3 uses NumPy's global one); skips masked steps.

    ``present`` is bool ``[steps, n]``: steps of an agent that had left its episode are no data.
    """

    kept: ClassVar[tuple[str, ...]] = (
        "observations",
        "actions",
        "rewards",
        "values",
        "log_probs",
        "advantages",
        "returns",
        "episode_starts",
        "present",
    )
    """Columns that outlive the update: a look that an edit takes after going on sees them."""
    taught: ClassVar[tuple[str, ...]] = (
        "observations",
        "actions",
        "values",
        "log_probs",
        "advantages",
        "returns",
    )
    """Columns of a minibatch, in the order of ``samples``."""
    samples: ClassVar[Any] = RolloutBufferSamples

    def __init__(self, *args: Any, rng: np.random.Generator, **kwargs: Any) -> None:
        self.rng = rng
        self.generator_ready = False
        super().__init__(*args, **kwargs)

    def reset(self) -> None:
        """Empty the buffer."""
        super().reset()
        self.present: Array = np.ones((self.buffer_size, self.n_envs), bool)

    def judge(self, values: Array, cut: Sequence[tuple[int, Array]], starts: Array) -> None:
        """Fill in values, the bootstraps of cut episodes, advantages and returns.

        ``values``: of every step, step by step, of what comes next ``[n]``, and of the observations
        that the episodes in ``cut`` (step, environments) were cut at. A truncated episode would
        have gone on: its last reward gets the discounted value of the state it was cut at (Pardo et
        al. 2018), as SB3 does for time-outs. A death is worth 0.
        """
        self.values[:] = values[: self.values.size].reshape(self.values.shape)
        last, beyond = np.split(values[self.values.size :], [self.n_envs])
        for t, rows in cut:
            self.rewards[t, rows] += self.gamma * beyond[: rows.size]
            beyond = beyond[rows.size :]
        self.compute_returns_and_advantage(torch.from_numpy(last), starts)

    def get(self, batch_size: int | None = None) -> Iterator[RolloutBufferSamples]:
        """Yield shuffled minibatches of the steps that are present, once through."""
        rows = np.flatnonzero(self.swap_and_flatten(self.present))
        columns = self._columns()
        order = torch.from_numpy(rows[self.rng.permutation(len(rows))])
        for batch in torch.split(order, batch_size or len(rows)):
            yield self.samples(*(column[batch] for column in columns))

    def whole(self) -> RolloutBufferSamples:
        """Return all steps that are present, env by env; nothing is shuffled."""
        return self.rows(np.arange(int(self.present.sum())))

    def rows(self, chosen: Array) -> RolloutBufferSamples:
        """Return these of the steps that are present, counted env by env."""
        there = np.flatnonzero(self.swap_and_flatten(self.present))
        found: RolloutBufferSamples = self.samples(
            *(column[there[chosen]] for column in self._columns())
        )
        return found

    def widen(self, observation_space: Any) -> None:
        """Hold observations of another width from the next rollout on."""
        self.observation_space, self.obs_shape = observation_space, observation_space.shape
        self.reset()

    def _columns(self) -> tuple[torch.Tensor, ...]:
        """Return the buffer's columns as flat tensors, env by env; made once a rollout."""
        if not self.generator_ready:
            flat = (self.swap_and_flatten(getattr(self, name)) for name in self.taught)
            self._flat = tuple(torch.from_numpy(np.ascontiguousarray(each)) for each in flat)
            self.generator_ready = True
        observations, actions, *rest = self._flat
        return observations, actions, *(column.flatten() for column in rest)
