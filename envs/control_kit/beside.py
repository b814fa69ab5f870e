"""Shared base of controls that add a view of another agent to the observation.

The observation grows by a view of the other agent and a last number that is 1 while that agent is
there; where there is none, all of it is 0. Evaluation shows 0 as well. At intensity 0 nothing is
added, so for a learner of the same size that sees no other agent use an intensity of 1e-9.
"""

from abc import abstractmethod
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space

from envs.arrays import Array
from envs.control_kit.clock import Clock
from envs.control_kit.control import ControlledEnv, Expectation, Expected, Step


def too_many_axes(env: VectorEnv) -> str | None:
    """One line where an observation is no plain row of numbers."""
    space: Any = env.single_observation_space
    if len(space.shape) == 1 and np.issubdtype(space.dtype, np.floating):
        return None
    return f"another agent can only be shown beside a row of numbers, not {space}"


def expects_shown(share: float) -> Expectation:
    """Episodes begin with another agent with chance ``effective_intensity * share``."""

    def expected(step: Step, effective_intensity: float) -> Expected:
        chance = effective_intensity * share
        return {"episodes_shown": (step.begun * chance, step.begun * chance * (1 - chance))}

    return expected


def one_hot(chosen: Array, n: int) -> Array:
    """One row of ``n`` numbers each; all 0 for -1."""
    return np.asarray(chosen[:, None] == np.arange(n), np.float32)


class Beside(ControlledEnv):
    """With chance ``effective_intensity`` an episode has another agent, seen as ``view``.

    A leaf passes the bounds of its view.
    """

    def __init__(
        self,
        control: Any,
        env: VectorEnv,
        rng: np.random.Generator,
        clock: Clock,
        bounds: tuple[Array, Array],
    ) -> None:
        super().__init__(control, env, rng, clock)
        own: Any = env.single_observation_space
        low = np.concatenate([own.low, np.minimum(bounds[0], 0), [0]])
        high = np.concatenate([own.high, np.maximum(bounds[1], 0), [1]])
        self.added = len(low) - len(own.low)
        self.single_observation_space = Box(
            low.astype(own.dtype), high.astype(own.dtype), dtype=own.dtype
        )
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.exposed = np.zeros(self.num_envs, bool)  # in the episodes under way

    @abstractmethod
    def view(self, seen: Array, rows: Array) -> Array:
        """What there would be to see in the copies ``rows``, one row each."""

    def there(self) -> Array:
        """In which copies there is another agent now, bool ``[n]``."""
        return self.exposed

    def silent(self, seen: Array) -> Array:
        """See ``ControlledEnv.silent``: no other agent."""
        return np.concatenate([seen, np.zeros((len(seen), self.added), seen.dtype)], axis=1)

    def observations(self, seen: Array, rows: Array) -> Array:
        """Add the view of the other agent where there is one."""
        shown, there = self.silent(seen), self.there()[rows]
        shown[there, seen.shape[1] : -1] = self.view(seen, rows)[there]
        shown[there, -1] = 1
        return shown

    def begun(self, rows: Array) -> None:
        """Draw in which copies there is another agent."""
        self.exposed[rows] = self.rng.random(len(rows)) < self.effective_intensity


def seen_bounds(env: VectorEnv) -> tuple[Array, Array]:
    """Least and greatest of an observation and of the action taken there."""
    space: Any = env.single_observation_space
    actions: Any = env.single_action_space
    none, all_ = np.zeros(actions.n), np.ones(actions.n)
    return np.concatenate([space.low, none]), np.concatenate([space.high, all_])
