"""A caregiver is present for a time and gives the agent approval of a step, or advice, or both.

Approval is the world's hidden reward of the step, with noise; advice is the action that a reference
policy of the world takes in the state before it. Both are in the infos of the step, as ``approval``
and ``advice``, with the masks ``_approval`` and ``_advice`` of the copies in which the caregiver
spoke; how they are used is up to the objectives. Observations and rewards are unchanged. With
``end: 0.5`` the caregiver leaves half-way, as in Rong and Kleiman-Weiner 2024 (arXiv:2407.14681).
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.contract import Outcome
from envs.control_kit.clock import Clock
from envs.control_kit.control import Control, ControlledEnv, Expectation, Expected, Step
from envs.control_kit.level_draws import world_of
from envs.faces.gymnasium import BatchedWorlds, batch_of
from envs.world_kit.settings import WorldSettingError

_SAYS = {"approval": ("approval",), "advice": ("advice",), "both": ("approval", "advice")}


@dataclass(frozen=True)
class Caregiver(Control):
    """``intensity``: share of steps at which it speaks."""

    says: Literal["approval", "advice", "both"] = "both"
    noise: float = 0.0  # standard deviation of what is added to the approval
    policy: str = "performance_optimal"  # reference policy of the world that it advises to follow

    unit: ClassVar[str] = "share of steps at which it speaks"
    example: ClassVar[str] = "end: 0.5"

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if self.says not in _SAYS:
            raise WorldSettingError(
                f"says must be approval, advice or both, not {self.says!r}", "says"
            )
        if not self.noise >= 0 or not math.isfinite(self.noise):
            raise WorldSettingError(
                f"noise must be a finite number of at least 0, not {self.noise:g}", "noise"
            )

    def refuse(self, env: VectorEnv) -> str | None:
        """The hidden reward must be known, and a policy to advise."""
        return super().refuse(env) or self._ignorant(env)

    def _ignorant(self, env: VectorEnv) -> str | None:
        world = world_of(env)
        if world is None:
            return "its hidden reward and reference policies are not known; use one of our worlds"
        if "advice" not in self.info_names():
            return None
        rng = np.random.default_rng(0)
        try:
            world.act(self.policy, world.reset(rng, 1), rng)
        except LookupError as error:
            return str(error.args[0] if error.args else error)
        return None

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Add the caregiver."""
        face = batch_of(env)
        if face is None or not self.intensity:
            return ControlledEnv(self, env, rng, clock)
        return _Attended(self, env, rng, clock, face)

    def info_names(self) -> tuple[str, ...]:
        """Approval, advice or both."""
        return _SAYS[self.says]

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """It speaks in every copy with the chance in force."""
        del env, rng

        def expected(step: Step, effective_intensity: float) -> Expected:
            n = len(step.chosen)
            spoken = n * effective_intensity, n * effective_intensity * (1 - effective_intensity)
            return {f"{name}_shown": spoken for name in self.info_names()}

        return expected


class _Attended(ControlledEnv):
    """Reads the ground truth of every step, and the state of the world before it."""

    def __init__(
        self,
        control: Any,
        env: VectorEnv,
        rng: np.random.Generator,
        clock: Clock,
        face: BatchedWorlds,
    ) -> None:
        super().__init__(control, env, rng, clock)
        self.face = face
        self.advice: Array = np.zeros(self.num_envs, np.int64)

    def actions(self, chosen: Array) -> Array:
        if "advice" in self.control.info_names():
            world, state = self.face.world, self.face.state
            self.advice = np.array(world.act(self.control.policy, state, self.rng), np.int64)
        return chosen

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Add the feedback to the infos; where an episode ended, it is about its last step."""
        seen, rewards, terminated, truncated, infos = super().step(actions)
        if self.effective_intensity and self.face.last is not None:
            infos = {**infos, **self._said(self.face.last)}
        return seen, rewards, terminated, truncated, infos

    def _said(self, outcome: Outcome) -> dict[str, Array]:
        speaks = self.rng.random(self.num_envs) < self.effective_intensity
        noise = self.control.noise * self.rng.standard_normal(self.num_envs)
        known = {"approval": outcome.truth["hidden_reward"] + noise, "advice": self.advice}
        nothing = {"approval": np.nan, "advice": -1}
        said: dict[str, Array] = {}
        for name in self.control.info_names():
            said[name] = np.where(speaks, known[name], nothing[name])
            said[f"_{name}"] = speaks.copy()
        return said
