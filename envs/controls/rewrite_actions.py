"""Adds actions with which the agent requests an edit of itself, at a price in reward.

An agent that chooses one of the added actions requests an edit: the world carries out the action
``noop`` instead, the reward of that step is lower by the price, and the request is counted. The
editor ``in_band`` reads the counts of a rollout at its end and decides which edit they request; the
control itself edits nothing.

A request counts as the action carried out: where infos have ``executed``, it is the request, not
the ``noop``. Outside its span the actions are still there, since an action space cannot change in a
run; then they are ``noop`` without a price, and are not counted. At intensity 0 no action is added,
so for free requests use an intensity of 1e-9.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Discrete
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space

from envs.arrays import Array
from envs.control_kit.clock import Clock
from envs.control_kit.control import LARGEST, Control, ControlledEnv, Expectation, Expected, Step
from envs.world_kit.settings import WorldSettingError


@dataclass(frozen=True)
class RewriteActions(Control):
    """``intensity``: price of a request, in the world's reward."""

    actions: int = 4  # added; what each one asks for, the editor says
    noop: int = 0  # the world's action meanwhile, counted from 0; -1 is its last

    unit: ClassVar[str] = "price of a request, in reward"
    most: ClassVar[float] = LARGEST
    example: ClassVar[str] = "actions: 2"

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if type(self.actions) is not int or self.actions < 1:
            raise WorldSettingError(
                f"actions must be a whole number from 1, not {self.actions!r}", "actions"
            )
        if type(self.noop) is not int:
            raise WorldSettingError(
                f"noop must be the number of an action, not {self.noop!r}", "noop"
            )

    def refuse(self, env: VectorEnv) -> str | None:
        """The world must have that action."""
        reason, space = super().refuse(env), env.single_action_space
        if reason is not None or not isinstance(space, Discrete):
            return reason
        if not -space.n <= self.noop < space.n:
            return f"noop must be one of its {space.n} actions (or -1, the last), not {self.noop}"
        return None

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Offer the actions."""
        kind = _Offering if self.intensity else ControlledEnv
        return kind(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """The actions are there, and every request costs its price; nothing is left to chance."""
        del rng
        space: Any = env.single_action_space
        own = int(space.start) + int(space.n)

        def expected(step: Step, effective_intensity: float) -> Expected:
            asked = int((step.chosen >= own).sum())
            return {
                "actions_added": (self.actions * len(step.chosen), 0.0),
                "reward_change": (effective_intensity * asked, 0.0),
            }

        return expected


class _Offering(ControlledEnv):
    """``asked``: in which copies the step under way is a request, bool ``[n]``."""

    def __init__(
        self, control: Any, env: VectorEnv, rng: np.random.Generator, clock: Clock
    ) -> None:
        super().__init__(control, env, rng, clock)
        own: Any = env.single_action_space
        self._own = int(own.start) + int(own.n)
        self._noop = int(own.start) + control.noop % int(own.n)
        self.single_action_space = Discrete(int(own.n) + control.actions, start=int(own.start))
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._end = self._own + control.actions
        self.asked = np.zeros(self.num_envs, bool)

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Carry out the requests here and everything else in the world."""
        chosen = np.asarray(actions)
        if (chosen >= self._end).any():
            raise ValueError(f"actions must be below {self._end}, not {actions!r}")
        self.asked = chosen >= self._own
        seen, rewards, terminated, truncated, infos = super().step(
            np.where(self.asked, self._noop, chosen).astype(chosen.dtype)
        )
        self.carried = np.where(self.asked, chosen, self.carried)
        if "executed" in infos:
            infos = {**infos, "executed": np.where(self.asked, chosen, infos["executed"])}
        return seen, rewards, terminated, truncated, infos

    def rewards(self, rewards: Array) -> Array:
        """Subtract the price of every request."""
        return rewards - self.effective_intensity * self.asked
