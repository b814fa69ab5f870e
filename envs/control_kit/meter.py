"""Measures what a control did, from outside: it compares the env before and behind the control.

The meter does not rely on what a control reports. A control that does nothing
(intensity 0, or broken) measures as zeros.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import flatdim
from gymnasium.vector import VectorEnv, VectorWrapper

from envs.arrays import Array
from envs.control_kit.clock import Clock, ClockedEnv
from envs.control_kit.control import Control, Step, controlled
from envs.control_kit.level_taps import LevelTaps


@dataclass(frozen=True)
class Reading:
    """Means since the last reading; what was not there to measure is left out.

    ``measured``: shares of ``actions_changed``, ``rewards_changed``, ``observations_changed`` (any
    number in it), ``inputs_changed`` (numbers), ``episodes_changed`` (begun on another level, or
    with another seed); of what a control added, shares not zero: ``inputs_shown`` (numbers),
    ``observations_shown`` (any number in it), ``episodes_shown`` (in their first observation), and
    of what a control adds to infos ``<name>_shown`` (copies and steps);
    ``actions_added``, how many the learner has beyond the env's while the control is on; mean
    absolute ``reward_change`` and ``input_change``; and the control's own ``readings``.
    ``expected`` and ``error`` (one standard deviation) are what the control said these would be,
    as far as it did.
    """

    effective_intensity: float
    measured: Mapping[str, float]
    expected: Mapping[str, float]
    error: Mapping[str, float]


class ControlMeter:
    """``env`` is the controlled env, to be used instead of the one given.

    ``actions`` is how many the env has without the control, and ``requests`` how often each of
    those that the control added was chosen between the last two readings, while it was on: int
    ``[copies, added]``.
    """

    def __init__(
        self,
        control: Control,
        env: VectorEnv,
        *,
        rng: np.random.Generator,
        duplicate: np.random.Generator,
        span_steps: int,
    ) -> None:
        """``duplicate`` is a second generator: in the same state as ``rng``."""
        self.control, self.clock = control, Clock(span_steps)
        self._expects, self._readings = control.expects(env, duplicate), control.readings(env)
        self._near = _BeforeControl(ClockedEnv(env, self.clock), self.clock)
        self._levels = LevelTaps(env)
        bent = controlled(control, self._near, rng, self.clock)
        self._levels.behind()
        self.silent = getattr(bent, "silent", _as_is)
        self.env: VectorEnv = _AfterControl(bent, self)
        self._width = flatdim(env.single_observation_space)
        own, offered = (_actions(each) for each in (env, bent))
        self.actions, self._added = own.stop - own.start, offered.stop - own.stop
        self._first_added = own.stop
        self._requests = np.zeros((env.num_envs, self._added), np.int64)
        self.requests: Array = self._requests.copy()
        self._carried = np.zeros(env.num_envs, np.int64)
        self._fresh = np.ones(env.num_envs, bool)
        self._begun = 0
        self._forget()

    def read(self) -> Reading:
        """Return the means since the last reading, and begin anew."""
        self._levels.add(self._sums, self._counts)
        means = {name: self._sums[name] / n for name, n in self._counts.items() if n}
        # What is expected and cannot even be measured, as nothing was added, is a total against 0.
        of = {k: self._counts[k] or 1 for k, v in self._expected.items() if self._counts[k] or v}
        expected = {k: self._expected[k] / n for k, n in of.items()}
        error = {k: self._variance[k] ** 0.5 / n for k, n in of.items()}
        effective_intensity = means.pop("strength", 0.0)
        self.requests = self._requests.copy()
        self._forget()
        return Reading(effective_intensity, means, expected, error)

    def begin(self, shown: Array) -> None:
        """All episodes start anew; measures only what the control shows in the added inputs."""
        self._fresh = np.ones(len(self._fresh), bool)
        self._begun += len(shown)
        self._first(_flat(shown))
        self._answered = _flat(self._near.seen)

    def step(self, chosen: Array, result: tuple[Any, ...]) -> None:
        """Compare one step: the learner's actions and results with those of the env."""
        near, (_, rewards, terminated, truncated, _) = self._near, result
        n, progress = len(near.rewards), near.progress
        effective_intensity = self.control.effective_intensity(progress)
        ended = terminated | truncated
        seen, shown = near.all(ended), _all(result, ended)
        self._count("strength", effective_intensity * n, n)
        self._count("actions_changed", _differ(chosen, near.actions), n)
        self._count("rewards_changed", _differ(rewards, near.rewards), n)
        self._count("reward_change", float(np.abs(rewards - near.rewards).sum()), n)
        self._observations(seen, shown)
        for name in self.control.info_names():
            given = result[4].get(f"_{name}", False)
            self._count(f"{name}_shown", float(np.sum(given)), n)
        self._first(shown[:n][ended])
        begun, drawn, self._begun = self._begun + int(ended.sum()), self._levels.since(), 0
        for name, value in self._readings().items():
            self._count(name, value, 1)
        if effective_intensity:
            self._offered(np.asarray(chosen))
            was = self._carried, self._fresh
            before = self._answered
            passed = Step(
                np.asarray(chosen), *was, near.rewards, seen, begun, drawn, progress, before
            )
            for name, (total, variance) in self._expects(passed, effective_intensity).items():
                self._expected[name] += total
                self._variance[name] += variance
        self._carried, self._fresh = np.array(near.actions), ended
        self._answered = _flat(near.seen)

    def _offered(self, chosen: Array) -> None:
        if not self._added:
            return
        self._count("actions_added", self._added * len(chosen), len(chosen))
        (rows,) = (chosen >= self._first_added).nonzero()
        self._requests[rows, chosen[rows] - self._first_added] += 1

    def _observations(self, seen: Array, shown: Array) -> None:
        width, added = seen.shape[1], shown[:, seen.shape[1] :]
        changed = shown[:, :width] != seen
        numbers = int(np.count_nonzero(changed))
        rows = int(changed.any(axis=1).sum()) if numbers else 0
        self._count("observations_changed", rows, len(seen))
        self._count("inputs_changed", numbers, seen.size)
        self._count("input_change", _moved(seen, shown[:, :width]) if numbers else 0, seen.size)
        if added.size:
            self._count("inputs_shown", int(np.count_nonzero(added)), added.size)
            self._count("observations_shown", int(added.any(axis=1).sum()), len(added))

    def _first(self, shown: Array) -> None:
        """First observations of episodes."""
        added = shown[:, self._width :]
        if added.size:
            self._count("episodes_shown", int(added.any(axis=1).sum()), len(added))

    def _count(self, name: str, total: float, n: int) -> None:
        self._sums[name] += total
        self._counts[name] += n

    def _forget(self) -> None:
        self._sums: defaultdict[str, float] = defaultdict(float)
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._expected: defaultdict[str, float] = defaultdict(float)
        self._variance: defaultdict[str, float] = defaultdict(float)
        self._requests[:] = 0


class _BeforeControl(VectorWrapper):
    """Keeps, between the env and the control, what passed last."""

    actions: Array
    rewards: Array
    seen: Array
    infos: dict[str, Any]
    progress: float  # share of the span that was gone before

    def __init__(self, env: VectorEnv, clock: Clock) -> None:
        super().__init__(env)
        self._clock = clock

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        result = self.env.reset(seed=seed, options=options)
        self.seen = result[0].copy()
        return result

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        self.actions, self.progress = np.array(actions), self._clock.progress
        result = self.env.step(actions)
        # Copies: a control that writes into what it is given must not escape its meter.
        self.seen, self.rewards, self.infos = result[0].copy(), result[1].copy(), result[4]
        return result

    def all(self, ended: Array) -> Array:
        """Observations of the last step, flat: all copies', then those of episodes that ended."""
        return _all((self.seen, None, None, None, self.infos), ended)


class _AfterControl(VectorWrapper):
    """What the learner holds."""

    def __init__(self, env: VectorEnv, control_meter: ControlMeter) -> None:
        super().__init__(env)
        self._control_meter = control_meter

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        result = self.env.reset(seed=seed, options=options)
        self._control_meter.begin(result[0])
        return result

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        result = self.env.step(actions)
        self._control_meter.step(actions, result)
        return result


def _actions(env: VectorEnv) -> range:
    space: Any = env.single_action_space
    return range(int(space.start), int(space.start) + int(space.n))


def _all(result: tuple[Any, ...], ended: Array) -> Array:
    seen = _flat(result[0])
    if not ended.any():
        return seen
    final = np.stack([result[4]["final_obs"][i] for i in np.flatnonzero(ended)])
    return np.concatenate([seen, _flat(final)])


def _flat(seen: Array) -> Array:
    return np.asarray(seen).reshape(len(seen), -1)


def _differ(one: Array, other: Array) -> int:
    return int((np.asarray(one) != other).sum())


def _moved(one: Array, other: Array) -> float:
    """Sum of absolute differences; of small whole numbers no difference must wrap around."""
    kind = one.dtype if np.issubdtype(one.dtype, np.floating) else np.float64
    change = np.subtract(other, one, dtype=kind)
    return float(np.abs(change, out=change).sum(dtype=np.float64))


def _as_is(seen: Array) -> Array:
    return seen
