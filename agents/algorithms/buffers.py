"""SB3's rollout buffer with a private shuffle and a mask for agents that have left.

A replay buffer of an agent's experience: the newest steps of each copy of its environment.

Observations are stored one at a time; the history that an agent reads is assembled when steps are
sampled. So a rewrite of the agent leaves the buffer as it is, and after its history is lengthened
earlier observations are used at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
    """Columns kept after the update: a ``Look`` taken after a resume reads them."""
    learned_columns: ClassVar[tuple[str, ...]] = (
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

    def judge(self, values: Array, cut: tuple[Array, ...], starts: Array) -> None:
        """Fill in values, the bootstraps of cut episodes, advantages and returns.

        ``values``: of every step, step by step, of what comes next ``[n]``, and of the observations
        that the episodes in ``cut`` (steps, environments) were cut at. A truncated episode would
        have continued: its last reward gets the discounted value of the state it was cut at (Pardo
        et al. 2018), as SB3 does for time-outs. A terminal state has value 0.
        """
        self.values[:] = values[: self.values.size].reshape(self.values.shape)
        last, beyond = np.split(values[self.values.size :], [self.n_envs])
        self.rewards[cut] += self.gamma * beyond
        self.compute_returns_and_advantage(torch.from_numpy(last), starts)

    def get(self, batch_size: int | None = None) -> Iterator[RolloutBufferSamples]:
        """Yield shuffled minibatches of the steps that are present, once through."""
        columns, order = self._columns(), torch.from_numpy(self.shuffled_rows())
        for batch in torch.split(order, batch_size or len(order)):
            yield self.samples(*(column[batch] for column in columns))

    def whole(self) -> RolloutBufferSamples:
        """Return all steps that are present, env by env; nothing is shuffled."""
        return self.rows(np.arange(int(self.present.sum())))

    def rows(self, chosen: Array) -> RolloutBufferSamples:
        """Return these of the steps that are present, counted env by env."""
        there = self.rows_present()
        found: RolloutBufferSamples = self.samples(
            *(column[there[chosen]] for column in self._columns())
        )
        return found

    def widen(self, observation_space: Any) -> None:
        """Hold observations of another width from the next rollout on."""
        self.observation_space, self.obs_shape = observation_space, observation_space.shape
        self.reset()

    def columns(self) -> tuple[Array, ...]:
        """Return inputs, actions, log probabilities, advantages and returns (of every stream).

        Each is ``[steps * n, ...]``, env by env: views of what ``get`` takes its minibatches from.
        """
        observations, actions, _, *rest = (each.numpy() for each in self._columns())
        return observations, actions[:, 0], *rest

    def rows_present(self) -> Array:
        """Return the rows of ``columns`` at which the agent was there."""
        found: Array = np.flatnonzero(self.swap_and_flatten(self.present))
        return found

    def shuffled_rows(self) -> Array:
        """Return them in a fresh order."""
        rows = self.rows_present()
        found: Array = rows[self.rng.permutation(len(rows))]
        return found

    def _columns(self) -> tuple[torch.Tensor, ...]:
        """Return the buffer's columns as flat tensors, env by env; made once a rollout."""
        if not self.generator_ready:
            flat = (self.swap_and_flatten(getattr(self, name)) for name in self.learned_columns)
            self._flat = tuple(torch.from_numpy(np.ascontiguousarray(each)) for each in flat)
            self.generator_ready = True
        observations, actions, *rest = self._flat
        return observations, actions, *(column.flatten() for column in rest)


@dataclass(frozen=True)
class StepBatch:
    """Some steps, in no order."""

    inputs: Array  # float32 [n, history * size], newest observation first
    actions: Array  # int64 [n], or float32 [n, dimensions]
    following: Array  # float32 [n, history * size]: the final one where the episode ended
    rewards: Array  # float32 [n, objectives], each in its own unit
    terminated: Array  # float32 [n]: 1 where the episode terminated, 0 where it was truncated


@dataclass(frozen=True)
class StoredSteps:
    """Steps of ``n`` copies, as they are written down, in order of time."""

    observations: Array  # float32 [steps, n, size]
    actions: Array
    following: Array  # float32 [steps, n, size]
    rewards: Array  # float64 [steps, n, objectives]
    terminated: Array  # bool [steps, n]
    starts: Array  # bool [steps, n]: an episode begins with this observation


class Replay:
    """A ring of ``rows`` steps of ``copies`` environments; ``dimensions`` 0: discrete actions.

    Where earlier observations were overwritten, a history is filled with zeros, as at an episode's
    start.
    """

    def __init__(
        self, rows: int, copies: int, size: int, objectives: int, dimensions: int = 0
    ) -> None:
        self.rows, self.copies, shape = rows, copies, (rows, copies)
        self._at, self._filled = 0, 0
        acted = (*shape, dimensions) if dimensions else shape
        self._kept: dict[str, Array] = {
            "observations": np.zeros((*shape, size), np.float32),
            "actions": np.zeros(acted, np.float32 if dimensions else np.int64),
            "following": np.zeros((*shape, size), np.float32),
            "rewards": np.zeros((*shape, objectives), np.float32),
            "terminated": np.zeros(shape, np.float32),
            "starts": np.zeros(shape, bool),
        }

    def __len__(self) -> int:
        """Steps kept, of all copies together."""
        return self._filled * self.copies

    def add(self, steps: StoredSteps) -> None:
        """Write steps over the oldest; there are no more of them than rows."""
        count = len(steps.starts)
        at = (self._at + np.arange(count)) % self.rows
        for name, array in self._kept.items():
            array[at] = getattr(steps, name)
        self._at = (self._at + count) % self.rows
        self._filled = min(self._filled + count, self.rows)

    def sample(self, n: int, history: int, rng: np.random.Generator) -> StepBatch:
        """Return ``n`` steps drawn uniformly with replacement, each with its history."""
        places = rng.integers(len(self), size=n)
        return self.steps(places // self.copies, places % self.copies, history)

    def newest(self, rows: int, most: int, history: int) -> StepBatch:
        """Return up to ``most`` of the last ``rows`` steps of every copy, evenly spaced."""
        there = min(rows, self._filled) * self.copies
        places = np.linspace(0, max(there - 1, 0), min(there, most)).astype(int)
        back = places // self.copies
        rows_back = (self._at - min(rows, self._filled) + back) % self.rows
        return self.steps(rows_back, places % self.copies, history)

    def steps(self, rows: Array, copies: Array, history: int) -> StepBatch:
        """Return the steps at these places, int ``[n]`` each, with their histories."""
        kept = {name: each[rows, copies] for name, each in self._kept.items()}
        seen = [kept["observations"], *self._past(rows, copies, history)]
        return StepBatch(
            inputs=np.concatenate(seen, axis=1),
            actions=kept["actions"],
            following=np.concatenate([kept["following"], *seen][:history], axis=1),
            rewards=kept["rewards"],
            terminated=kept["terminated"],
        )

    def _past(self, rows: Array, copies: Array, history: int) -> list[Array]:
        """The observations before these, newest first: float32 ``[n, size]``, ``history - 1``."""
        oldest = self._at if self._filled == self.rows else 0
        age, found = (rows - oldest) % self.rows, []
        known = np.ones(len(rows), bool)
        for back in range(1, history):
            known = known & ~self._kept["starts"][(rows - back + 1) % self.rows, copies]
            known = known & (age >= back)
            earlier = self._kept["observations"][(rows - back) % self.rows, copies]
            found.append(np.where(known[:, None], earlier, np.float32(0)))
        return found

    def state(self) -> dict[str, Array]:
        """Copies of everything, by name; ``at`` is the row that is written next."""
        kept = {name: each[: self._filled].copy() for name, each in self._kept.items()}
        return {**kept, "at": np.array([self._at], np.int64)}

    def load(self, state: Mapping[str, Array]) -> None:
        """Take over what ``state`` gave; ``ValueError`` where it does not fit."""
        filled = len(state["starts"])
        for name, array in self._kept.items():
            if filled > self.rows or state[name].shape[1:] != array.shape[1:]:
                raise ValueError(f"a memory of other sizes: {name} has shape {state[name].shape}")
        for name, array in self._kept.items():
            array[:filled] = state[name]
        self._filled, self._at = filled, int(state["at"][0])
