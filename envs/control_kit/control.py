"""The contract of a control: a graded intervention on what any vector env gives to learn from.

A control is one file in ``envs/controls/``: a frozen dataclass ``Control`` (its fields are its
settings) whose ``around`` returns a ``ControlledEnv`` of its own with some of these hooks:

- ``actions(chosen)``: what is carried out instead. ``self.carried`` is what was carried out on the
  step before; it says nothing where ``self.fresh`` (an episode's first action).
- ``rewards(rewards)``: the rewards that the learner receives instead; ``self.carried`` led to them.
- ``observations(seen, rows)``: what the copies ``rows`` show instead; in the order of time, so an
  ended copy is asked for its last observation, then ``begun`` is called, then for its first.
- ``levels(state)``: the first states of new episodes of one of our worlds, drawn already; return
  those in force (``envs.world_kit.state.put`` and ``take`` swap rows). ``begun(rows)`` follows,
  same order.
- ``begun(rows)``: these copies begin an episode. ``turned()``: ``self.effective_intensity`` has
  changed.
- ``silent(seen)``: only where the observation space grows: the same observations with nothing shown
  in what was added; evaluation, which nothing controls, shows agents this.

Hooks are not called while ``self.effective_intensity`` is 0 (``begun``, ``turned`` and ``silent``
are): so no control can change anything at intensity 0, or outside its span. Draw from ``self.rng``
alone, for the whole batch (``self.rng.random(self.num_envs)``) or for all of ``rows``, and return
new arrays of the same dtype. ``self.clock`` is to be read only: the env beneath advances it, step
by step.

``expects`` says, from what went in, how much should have come out changed; a ``ControlMeter`` (in
``envs.control_kit.meter``), which trusts neither, measures it from outside. The lever of the same
name, which the laboratory generates, then knows whether its intensity took effect.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper

from envs.arrays import Array
from envs.contract import State
from envs.control_kit.clock import Clock, ClockedEnv
from envs.faces.gymnasium import batch_of
from envs.faces.shared import Options
from envs.world_kit.settings import WorldSettingError

LARGEST = 1e6
"""Greatest intensity of a control without a limit of its own; float32 sums still work there."""

Expected = Mapping[str, tuple[float, float]]
"""Name of a measurement of the meter -> its expected total over one step, and its variance."""


@dataclass(frozen=True)
class Step:
    """One step as it was on the far side of a control: what ``expects`` may know."""

    chosen: Array  # actions as the learner gave them, [n]
    before: Array  # actions carried out on the step before, [n]; nothing where ``fresh``
    fresh: Array  # bool [n]: the first action of an episode
    rewards: Array  # as the env gave them, [n]
    seen: Array  # observations as the env gave them, flat, [n + episodes ended, size]
    begun: int = 0  # episodes begun since the step before, those of a reset included
    drawn: int = 0  # of these, those whose level (or seed) the caller did not force
    progress: float = 0.0  # share of the training steps that came before
    shown: Array = field(default_factory=lambda: np.zeros((0, 0)))
    """Observations that ``chosen`` answers, flat, as the env gave them, ``[n, size]``."""


Expectation = Callable[[Step, float], Expected]
"""From one step and the effective intensity; may keep what it needs from step to step."""


@dataclass(frozen=True)
class Control(ABC):
    """Settings that all controls have; leaves add their own."""

    intensity: float = 0.0  # 0: bit for bit as without the control
    start: float = 0.0  # share of the trial's planned training steps before it sets in
    end: float = 1.0  # share of the trial's planned training steps after which it is gone
    schedule: Literal["constant", "rising", "falling"] = "constant"  # linear from start to end
    seed: int = 0  # another one, other draws

    unit: ClassVar[str]  # what an intensity of 1 is
    most: ClassVar[float] = 1.0  # greatest intensity that means something
    example: ClassVar[str] = "start: 0.5"  # settings, as a scenario might have them under controls
    swaps_levels: ClassVar[bool] = False  # two that do would undo each other's work

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        if not 0 <= self.intensity <= self.most or not math.isfinite(self.intensity):
            what = f"a number from 0 to {self.most:g} ({self.unit})"
            raise WorldSettingError(
                f"intensity must be {what}, not {self.intensity:g}", "intensity"
            )
        if not 0 <= self.start < 1:
            what = "a share of the training steps, from 0 to below 1"
            raise WorldSettingError(f"start must be {what}, not {self.start:g}", "start")
        if not self.start < self.end <= 1:
            what = f"a share of the training steps, above start ({self.start:g}) and at most 1"
            raise WorldSettingError(f"end must be {what}, not {self.end:g}", "end")
        if self.schedule not in {"constant", "rising", "falling"}:
            raise WorldSettingError(
                f"schedule must be constant, rising or falling, not {self.schedule!r}", "schedule"
            )
        if self.seed < 0:
            raise WorldSettingError(f"seed must be at least 0, not {self.seed}", "seed")

    def effective_intensity(self, progress: float) -> float:
        """Intensity in force after a share ``progress`` of the training steps; 0 outside."""
        if not self.start <= progress <= self.end:
            return 0.0
        done = (progress - self.start) / (self.end - self.start)
        share = {"constant": 1.0, "rising": done, "falling": 1.0 - done}[self.schedule]
        return self.intensity * share

    def refuse(self, env: VectorEnv) -> str | None:
        """One line: why this env cannot be controlled so; ``None`` where it can."""
        if env.metadata.get("autoreset_mode") != AutoresetMode.SAME_STEP:
            return "the vector env must restart episodes in SAME_STEP mode"
        if not isinstance(env.single_observation_space, Box):
            return f"observations must be a Box, not {env.single_observation_space}"
        if not isinstance(env.single_action_space, Discrete):
            return f"actions must be Discrete, not {env.single_action_space}"
        return None

    @abstractmethod
    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Control ``env``, whose steps advance ``clock``; a ``ControlledEnv``."""

    def wrap(self, env: VectorEnv, rng: np.random.Generator, span_steps: int) -> VectorEnv:
        """Control ``env``, whose copies take ``span_steps`` steps in all; a ``ControlledEnv``.

        Raises ``ValueError`` with the line of ``refuse`` where there is one.
        """
        clock = Clock(span_steps)
        return controlled(self, ClockedEnv(env, clock), rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """What a meter should find. ``rng`` draws what ``around``'s draws: same seed, own copy."""
        del env, rng
        return lambda _step, _effective_intensity: {}

    def info_names(self) -> tuple[str, ...]:
        """Names under which it adds information for the learner to the infos; often none.

        Each comes with a mask of the same name and a leading underscore, whose share of true ones
        a meter reads as ``<name>_shown``.
        """
        return ()

    def readings(self, env: VectorEnv) -> Callable[[], Mapping[str, float]]:
        """What to read off the env itself after every step, where nothing else shows the change.

        Asked before ``around``. Names end in ``_change`` or ``_shown``; 0 without the control.
        """
        del env
        return dict


def controlled(
    control: Control, env: VectorEnv, rng: np.random.Generator, clock: Clock
) -> VectorEnv:
    """Put a control around an env whose steps advance ``clock``.

    Raises ``ValueError`` with the line of ``refuse`` where there is one.
    """
    reason = control.refuse(env)
    if reason is not None:
        raise ValueError(reason)
    return control.around(env, rng, clock)


class ControlledEnv(VectorWrapper):
    """Asks its hooks at every step; knows where in its span it is. See the module's docstring."""

    def __init__(
        self, control: Any, env: VectorEnv, rng: np.random.Generator, clock: Clock
    ) -> None:
        super().__init__(env)
        self.control, self.rng, self.clock = control, rng, clock
        self.effective_intensity = 0.0
        self.carried: Array = np.zeros(env.num_envs, np.int64)
        self.fresh: Array = np.ones(env.num_envs, bool)
        self._all = np.arange(env.num_envs)
        self._sees, self._adds = (
            getattr(type(self), hook) is not getattr(ControlledEnv, hook)
            for hook in ("observations", "silent")
        )
        face = batch_of(env)
        if face is not None:
            face.levels.then(self._levelled)

    # --- hooks ---

    def actions(self, chosen: Array) -> Array:
        """Actions to carry out."""
        return chosen

    def rewards(self, rewards: Array) -> Array:
        """Rewards for the learner."""
        return rewards

    def observations(self, seen: Array, rows: Array) -> Array:
        """What the copies ``rows`` show; ``seen`` has one row each."""
        del rows
        return self.silent(seen)

    def levels(self, state: State) -> State:
        """First states of episodes that begin."""
        return state

    def begun(self, rows: Array) -> None:
        """Forget what belonged to the last episodes of the copies ``rows``."""

    def turned(self) -> None:
        """The effective intensity has changed."""

    def silent(self, seen: Array) -> Array:
        """Observations of this env's space in which nothing was added."""
        return seen

    # --- the wrapper ---

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start all episodes anew."""
        self._turn()
        seen, infos = self.env.reset(seed=seed, options=options)
        self.fresh = np.ones(self.num_envs, bool)
        self.begun(self._all)
        return self._shown(seen, self._all), infos

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Step all copies, with whatever the control makes of it."""
        self._turn()
        chosen = np.asarray(actions)
        self.carried = self.actions(chosen) if self.effective_intensity else chosen
        seen, rewards, terminated, truncated, infos = self.env.step(self.carried)
        if "executed" not in infos and (self.carried != chosen).any():
            marked = np.ones(self.num_envs, bool)
            infos = {**infos, "executed": self.carried.copy(), "_executed": marked}
        if self.effective_intensity:
            rewards = self.rewards(rewards)
        self.fresh = terminated | truncated
        seen, infos = self._restarted(seen, infos)
        return seen, rewards, terminated, truncated, infos

    def _turn(self) -> None:
        effective_intensity = self.control.effective_intensity(self.clock.progress)
        if effective_intensity != self.effective_intensity:
            self.effective_intensity = effective_intensity
            self.turned()

    def _shown(self, seen: Array, rows: Array) -> Array:
        return self.observations(seen, rows) if self.effective_intensity else self.silent(seen)

    def _restarted(self, seen: Array, infos: dict[str, Any]) -> tuple[Array, dict[str, Any]]:
        """Where episodes ended: their last observations, then the first ones of the next."""
        (rows,) = self.fresh.nonzero()
        if not len(rows):
            return self._shown(seen, self._all), infos
        if not (self._adds or (self._sees and self.effective_intensity)):
            self.begun(rows)
            return seen, infos
        last = seen.copy()
        last[rows] = np.stack([infos["final_obs"][i] for i in rows])
        shown = self._shown(last, self._all).copy()
        final = np.full(self.num_envs, None, dtype=object)
        for i in rows.tolist():
            final[i] = shown[i].copy()
        self.begun(rows)
        shown[rows] = self._shown(seen[rows], rows)
        return shown, {**infos, "final_obs": final}

    def _levelled(self, state: State, options: Options) -> State:
        """Ask the hook; levels that the caller forces by ``options`` are left alone.

        The env has drawn its level anyway, so that its own stream does not depend on the control.
        """
        return self.levels(state) if self.effective_intensity and not options else state


def bounds(env: VectorEnv) -> tuple[Array, Array]:
    """Least and greatest value of every input, flat; infinite where there is none."""
    space: Any = env.single_observation_space
    return space.low.reshape(-1), space.high.reshape(-1)


def blank(env: VectorEnv) -> Array:
    """The value of a hidden input: 0, or the bound next to it; flat."""
    low, high = bounds(env)
    return np.clip(np.zeros_like(low), low, high)
