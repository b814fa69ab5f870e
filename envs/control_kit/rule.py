"""Shared by controls of a rule: "never this action where this feature is on"."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.control_kit.control import Control, ControlledEnv
from envs.world_kit.settings import WorldSettingError


@dataclass(frozen=True)
class RuleControl(Control):
    """Leaves say what becomes of a breach: ``action`` chosen where ``feature`` is on.

    On is what stands at or above ``threshold`` in the observation that the action answers.
    """

    feature: int = 0  # which number of the observation, from 0
    threshold: float = 0.5  # from here on the feature is on
    action: int = 0  # the forbidden one, counted from 0

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if self.feature < 0 or self.action < 0:
            raise WorldSettingError("feature and action are counted from 0", "feature")
        if not np.isfinite(self.threshold):
            raise WorldSettingError(f"threshold must be finite, not {self.threshold}", "threshold")

    def refuse(self, env: VectorEnv) -> str | None:
        """The feature must be seen and the action must be one."""
        reason = super().refuse(env)
        if reason is not None:
            return reason
        seen: Any = env.single_observation_space
        choices: Any = env.single_action_space
        numbers = int(np.prod(seen.shape))
        if self.feature >= numbers:
            return f"feature {self.feature} is none: an observation has {numbers} numbers"
        if self.action >= choices.n:
            return f"action {self.action} is none, there are 0..{choices.n - 1}"
        return None

    def applies(self, observations: Array) -> Array:
        """Where the feature is on, bool ``[n]``."""
        flat = np.asarray(observations).reshape(len(observations), -1)
        on: Array = flat[:, self.feature] >= self.threshold
        return on

    def broken(self, observations: Array, actions: Array, first: int = 0) -> Array:
        """Where the rule is broken, bool ``[n]``; ``first`` is the env's number of action 0."""
        found: Array = self.applies(observations) & (np.asarray(actions) == self.action + first)
        return found


class RuledEnv(ControlledEnv):
    """Remembers what the copies showed last; draws, for every step, on which copies it acts."""

    seen: Array

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start all episodes anew."""
        seen, infos = super().reset(seed=seed, options=options)
        self.seen = seen.copy()
        return seen, infos

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Step all copies."""
        result = super().step(actions)
        self.seen = result[0].copy()
        return result

    @property
    def first(self) -> int:
        """What the env calls action 0."""
        return first_action(self)

    def breaches(self, actions: Array) -> Array:
        """Breaches on which the control acts, bool ``[n]``."""
        drawn = self.rng.random(self.num_envs) < self.effective_intensity
        found: Array = drawn & self.control.broken(self.seen, actions, self.first)
        return found


def first_action(env: Any) -> int:
    """What the env calls action 0."""
    return int(getattr(env.single_action_space, "start", 0))
