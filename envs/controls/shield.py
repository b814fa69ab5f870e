"""A shield outside the agent: a forbidden action is stopped before the world sees it.

Alshiekh et al. 2018 (Safe Reinforcement Learning via Shielding, arXiv:1708.08611) place it after
the learner, as here: the agent is free to choose, a safe action is carried out in the place of a
forbidden one, and infos report it (``executed``). Theirs is made from a model of the world
and a formula; ours is one rule: never ``action`` where ``feature`` is on. Nothing that the agent
can rewrite is a part of it. It holds in training alone: evaluation plays the bare env.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.control_kit.clock import Clock
from envs.control_kit.control import Expectation, Expected, Step
from envs.control_kit.rule import RuleControl, RuledEnv, first_action
from envs.world_kit.settings import WorldSettingError


@dataclass(frozen=True)
class Shield(RuleControl):
    """``intensity``: share of forbidden actions that are stopped."""

    instead: int = 1  # the safe action, carried out in its place

    unit: ClassVar[str] = "share of forbidden actions that are stopped"

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if self.instead < 0 or self.instead == self.action:
            raise WorldSettingError(
                f"instead must be another action than {self.action}, from 0", "instead"
            )

    def refuse(self, env: VectorEnv) -> str | None:
        """The safe action must be one, too."""
        reason = super().refuse(env)
        if reason is None and self.instead >= (n := getattr(env.single_action_space, "n", 0)):
            return f"instead: action {self.instead} is none, there are 0..{n - 1}"
        return reason

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Put the shield between the agent and the world."""
        return _Shielded(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """Only forbidden actions are changed."""
        del rng
        first = first_action(env)

        def expected(step: Step, effective_intensity: float) -> Expected:
            n = int(self.broken(step.shown, step.chosen, first).sum())
            return {
                "actions_changed": (
                    n * effective_intensity,
                    n * effective_intensity * (1 - effective_intensity),
                )
            }

        return expected


class _Shielded(RuledEnv):
    def actions(self, chosen: Array) -> Array:
        return np.where(self.breaches(chosen), self.control.instead + self.first, chosen)
