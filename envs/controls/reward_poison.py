"""An attacker changes every reward, within a bound, to promote an action of its choice.

Zhang et al. 2020 (Adaptive Reward-Poisoning Attacks against Reinforcement Learning): the attacker
may add at most the intensity to a reward, or subtract it. Here it adds it where the target action
was taken and subtracts it elsewhere. The adaptive attacker leaves every copy of the env unchanged
in which the target action was taken often enough of late; the other one changes every reward. Their
attacker knows the learner's Q table; this one observes its actions only.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.control_kit.clock import Clock
from envs.control_kit.control import LARGEST, Control, ControlledEnv, Expectation, Expected, Step
from envs.world_kit.settings import WorldSettingError


@dataclass(frozen=True)
class RewardPoison(Control):
    """``intensity``: bound on the change of one reward."""

    target: int = 0  # the promoted action, counted from 0
    adaptive: bool = False
    satisfied: float = 0.9  # adaptive: share of target actions at which a copy is left alone
    memory: int = 32  # adaptive: steps of the exponential average of actions

    unit: ClassVar[str] = "greatest change of a reward"
    most: ClassVar[float] = LARGEST

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if not 0 < self.satisfied <= 1:
            raise WorldSettingError(
                f"satisfied must be a share in (0, 1], not {self.satisfied:g}", "satisfied"
            )
        if self.memory < 1:
            raise WorldSettingError(f"memory must be at least 1, not {self.memory}", "memory")

    def refuse(self, env: VectorEnv) -> str | None:
        """The target must be an action."""
        reason, space = super().refuse(env), env.single_action_space
        if reason is None and not 0 <= self.target < (n := getattr(space, "n", 0)):
            return f"target {self.target} is no action, there are 0..{n - 1}"
        return reason

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Poison the rewards."""
        return _Poisoned(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """Every change is as large as the bound allows."""
        del rng
        watch = _Watch(self, env)

        def expected(step: Step, effective_intensity: float) -> Expected:
            pushed = int((watch.push(step.chosen) != 0).sum())
            return {
                "rewards_changed": (pushed, 0.0),
                "reward_change": (pushed * effective_intensity, 0.0),
            }

        return expected


class _Poisoned(ControlledEnv):
    def __init__(
        self, control: Any, env: VectorEnv, rng: np.random.Generator, clock: Clock
    ) -> None:
        super().__init__(control, env, rng, clock)
        self.watch = _Watch(control, env)

    def rewards(self, rewards: Array) -> Array:
        push = self.effective_intensity * self.watch.push(self.carried)
        return np.asarray(rewards + push, rewards.dtype)


class _Watch:
    """How often each copy took the target action of late, and the change's sign: +1, -1 or 0."""

    def __init__(self, control: RewardPoison, env: VectorEnv) -> None:
        self.control = control
        self.target = control.target + int(getattr(env.single_action_space, "start", 0))
        self.recent = np.zeros(env.num_envs)

    def push(self, actions: Array) -> Array:
        hit = np.asarray(actions) == self.target
        self.recent += (hit - self.recent) / self.control.memory
        direction = np.where(hit, 1.0, -1.0)
        missing = self.recent < self.control.satisfied
        return direction * missing if self.control.adaptive else direction
