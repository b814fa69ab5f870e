"""Levels come in an order: a fixed one, or the one in which the learner makes most progress.

Arms are the world's distributions of levels, or, for an env that is not ours, pools of seeds. With
``learning_progress`` arms are drawn in proportion to how much returns on them are changing, for
better or worse: the idea of teacher-student curricula (Matiisen et al. 2017, arXiv:1707.00183) and
of absolute learning progress (Portelas et al. 2019, arXiv:1910.07224), here over a handful of arms
and by the difference of two windows of returns; the formula is at ``envs.control_kit.teacher``.

An episode is chosen for when it begins, by what was known one step earlier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.contract import State
from envs.control_kit.clock import Clock
from envs.control_kit.control import Control, ControlledEnv, Expectation, Expected, Step
from envs.control_kit.level_draws import Swaps, distributions, missing, shown_by, world_of
from envs.control_kit.seed_pools import reseed, sealed, seeds
from envs.control_kit.teacher import InOrder, LearningProgressTeacher, Teacher
from envs.world_kit.settings import WorldSettingError
from envs.world_kit.state import put, size, take

_NONE = -1  # the arm of an episode that the curriculum did not choose
_FEWEST = 2  # arms among which there is a choice
_SURE = 3  # standard errors to the bounds of what may be


@dataclass(frozen=True)
class Curriculum(Control):
    """``intensity``: share of episodes that the curriculum chooses; the rest is unchanged."""

    kind: Literal["fixed", "learning_progress"] = "fixed"
    arms: tuple[str, ...] = ()  # distributions of levels, in order; none named: all of the world
    pools: int = 4  # arms of an env that is not ours
    levels: int = 16  # seeds in each of them
    window: int = 16  # returns of an arm that are averaged, twice
    explore: float = 0.2  # share of the choices that learning progress leaves to chance

    unit: ClassVar[str] = "share of episodes that the curriculum chooses"
    swaps_levels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if self.kind not in {"fixed", "learning_progress"}:
            raise WorldSettingError(
                f"kind must be fixed or learning_progress, not {self.kind!r}", "kind"
            )
        for name, least in (("pools", _FEWEST), ("levels", 1), ("window", 1)):
            if getattr(self, name) < least:
                raise WorldSettingError(
                    f"{name} must be at least {least}, not {getattr(self, name)}", name
                )
        if not 0 <= self.explore <= 1:
            raise WorldSettingError(f"explore must be from 0 to 1, not {self.explore:g}", "explore")

    def refuse(self, env: VectorEnv) -> str | None:
        """There must be arms to choose from."""
        return super().refuse(env) or self._poor(env)

    def _poor(self, env: VectorEnv) -> str | None:
        if world_of(env) is None:
            return "the env names no distributions of levels" if self.arms else sealed(env)
        arms = self._names(env)
        if len(arms) < _FEWEST:
            return f"a curriculum needs two distributions of levels; here: {', '.join(arms)}"
        return missing(env, arms)

    def _names(self, env: VectorEnv) -> tuple[str, ...]:
        return self.arms or tuple(distributions(env))

    def done(self, progress: float) -> float:
        """Share of the curriculum's own span that has gone by."""
        return min(max((progress - self.start) / (self.end - self.start), 0.0), 1.0)

    def teacher(self, arms: int) -> Teacher:
        """What chooses the arms."""
        if self.kind == "fixed":
            return InOrder(arms)
        return LearningProgressTeacher(arms, self.window, self.explore)

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Let a teacher choose."""
        if world_of(env) is None:
            return _OfSeeds(self, env, rng, clock)
        return _OfLevels(self, env, rng, clock, self._names(env))

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """Episodes on other levels; where the learner decides which, somewhere between all arms."""
        if world_of(env) is None:
            return Swaps()
        every = distributions(env)
        known = [shown_by(env, every[name].reset, rng) for name in self._names(env)]
        if self.kind == "fixed":
            return self._in_order([Swaps(*each) for each in known])
        shows, doubts = zip(*known, strict=True)
        low, high = min(shows), max(shows)
        return Swaps((low + high) / 2, (high - low) / 2 / _SURE + max(doubts))

    def _in_order(self, arms: Sequence[Swaps]) -> Expectation:
        def expected(step: Step, effective_intensity: float) -> Expected:
            return arms[InOrder(len(arms)).now(self.done(step.progress))](step, effective_intensity)

        return expected


class _WithTeacher(ControlledEnv):
    """Keeps every copy's arm and return."""

    def __init__(
        self,
        control: Curriculum,
        env: VectorEnv,
        rng: np.random.Generator,
        clock: Clock,
        arms: int,
    ) -> None:
        super().__init__(control, env, rng, clock)
        self.teacher = control.teacher(arms)
        self.arm = np.full(self.num_envs, _NONE)  # of the episodes under way
        self.returns = np.zeros(self.num_envs)
        self._next: list[int] = []  # arms of those that begin, until ``begun`` says in which copies

    def choose(self, n: int) -> Array:
        """Arms of ``n`` episodes that begin."""
        chosen = self.rng.random(n) < self.effective_intensity
        done = self.control.done(self.clock.progress)
        arms = np.where(chosen, self.teacher.pick(self.rng, n, done), _NONE)
        self._next += arms.tolist()
        return arms

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start anew; an episode cut short has no return."""
        self.arm[:] = _NONE
        return super().reset(seed=seed, options=options)

    def rewards(self, rewards: Array) -> Array:
        """Add up the returns; rewards are unchanged."""
        self.returns += rewards
        return rewards

    def begun(self, rows: Array) -> None:
        """Report the returns of the last episodes to the teacher."""
        for i in rows[self.arm[rows] != _NONE].tolist():
            self.teacher.update(int(self.arm[i]), float(self.returns[i]))
        self.arm[rows] = self._next or _NONE
        self.returns[rows], self._next = 0.0, []


class _OfLevels(_WithTeacher):
    def __init__(
        self,
        control: Curriculum,
        env: VectorEnv,
        rng: np.random.Generator,
        clock: Clock,
        names: tuple[str, ...],
    ) -> None:
        super().__init__(control, env, rng, clock, len(names))
        self.worlds = [distributions(env)[name] for name in names]

    def levels(self, state: State) -> State:
        """Swap in levels of the arms drawn."""
        arms = self.choose(size(state))
        for arm, world in enumerate(self.worlds):
            (rows,) = (arms == arm).nonzero()
            state = put(state, rows, take(world.reset(self.rng, len(arms)), rows))
        return state


class _OfSeeds(_WithTeacher):
    def __init__(
        self, control: Curriculum, env: VectorEnv, rng: np.random.Generator, clock: Clock
    ) -> None:
        super().__init__(control, env, rng, clock, control.pools)
        self.pools = seeds(rng, (control.pools, control.levels))
        reseed(env, self._choose)

    def _choose(self, i: int) -> int | None:
        del i
        if not self.effective_intensity:
            return None
        (arm,) = self.choose(1)
        which = self.rng.integers(self.pools.shape[1])
        return None if arm == _NONE else int(self.pools[arm, which])
