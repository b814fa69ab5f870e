"""SB3's rollout buffer with a private shuffle and a mask for agents that have left."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import RolloutBufferSamples

from agents.contract import Array


class PrivateRolloutBuffer(RolloutBuffer):  # type: ignore[misc]
    """Shuffles with its own generator (SB3 uses NumPy's global one); skips masked steps.

    ``present`` is bool ``[steps, n]``: steps of an agent that had left its episode are no data.
    """

    def __init__(self, *args: Any, rng: np.random.Generator, **kwargs: Any) -> None:
        self.rng = rng
        self.generator_ready = False
        super().__init__(*args, **kwargs)

    def reset(self) -> None:
        """Empty the buffer."""
        super().reset()
        self.present: Array = np.ones((self.buffer_size, self.n_envs), bool)

    def get(self, batch_size: int | None = None) -> Iterator[RolloutBufferSamples]:
        """Yield shuffled minibatches of the steps that are present, once through."""
        rows = np.flatnonzero(self.swap_and_flatten(self.present))
        columns = self._columns()
        order = torch.from_numpy(rows[self.rng.permutation(len(rows))])
        for batch in torch.split(order, batch_size or len(rows)):
            yield RolloutBufferSamples(*(column[batch] for column in columns))

    def whole(self) -> RolloutBufferSamples:
        """Return all steps that are present, env by env; nothing is shuffled."""
        return self.rows(np.arange(int(self.present.sum())))

    def rows(self, chosen: Array) -> RolloutBufferSamples:
        """Return these of the steps that are present, counted env by env."""
        there = np.flatnonzero(self.swap_and_flatten(self.present))
        return RolloutBufferSamples(*(column[there[chosen]] for column in self._columns()))

    def widen(self, observation_space: Any) -> None:
        """Hold observations of another width from the next rollout on."""
        self.observation_space, self.obs_shape = observation_space, observation_space.shape
        self.reset()

    def _columns(self) -> tuple[torch.Tensor, ...]:
        """Return the buffer's columns as flat tensors, env by env; made once a rollout."""
        if not self.generator_ready:
            names = ("observations", "actions", "values", "log_probs", "advantages", "returns")
            flat = {name: self.swap_and_flatten(getattr(self, name)) for name in names}
            self._flat = tuple(torch.from_numpy(np.ascontiguousarray(flat[name])) for name in names)
            self.generator_ready = True
        observations, actions, *rest = self._flat
        return observations, actions, *(column.flatten() for column in rest)
