"""The agent observes an expert that acts in its own copy of the same level.

The observation grows by the expert's own observation, the action it takes there (one-hot; all 0
once it has finished; its last observation stays visible) and whether it is there. The expert starts
where the agent starts and plays a reference policy of the world, or the episodes are recorded ones,
beside any env. It may be absent now and then: to learn from experts and to do without them later,
agents need drop-out (Bhoopchand et al. 2023, arXiv:2203.00715, whose expert comes and goes within
an episode). That the expert can be seen does not mean that it is used: agents trained on
reward alone mostly ignore such cues (Ndousse et al. 2021, arXiv:2010.00581).
"""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.contract import State, World
from envs.control_kit import recorded
from envs.control_kit.beside import Beside, expects_shown, one_hot, seen_bounds, too_many_axes
from envs.control_kit.clock import Clock
from envs.control_kit.control import Control, ControlledEnv, Expectation
from envs.control_kit.level_draws import world_of
from envs.world_kit.settings import WorldSettingError
from envs.world_kit.state import put, take


@dataclass(frozen=True)
class Demonstrations(Control):
    """``intensity``: share of episodes with an expert."""

    policy: str = "performance_optimal"  # reference policy of the world that the expert plays
    dropout: float = 0.0  # chance that it is not there although it should be,
    dropout_per: Literal["step", "episode"] = "step"  # drawn anew that often
    recorded: str = (
        ""  # file of recorded episodes (see envs.control_kit.recorded); empty: it plays live
    )
    recorded_sha256: str = ""  # of that file; empty: whatever it holds. A scenario fills it in

    unit: ClassVar[str] = "share of episodes with an expert"

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if not 0 <= self.dropout <= 1:
            raise WorldSettingError(f"dropout must be from 0 to 1, not {self.dropout:g}", "dropout")
        if self.dropout_per not in {"step", "episode"}:
            raise WorldSettingError(
                f"dropout_per must be step or episode, not {self.dropout_per!r}", "dropout_per"
            )
        if not re.fullmatch("([0-9a-f]{64})?", self.recorded_sha256):
            raise WorldSettingError(
                "recorded_sha256 must be 64 hex digits in lower case", "recorded_sha256"
            )
        if self.recorded_sha256 and not self.recorded:
            raise WorldSettingError("recorded_sha256 needs a file in 'recorded'", "recorded_sha256")

    def refuse(self, env: VectorEnv) -> str | None:
        """A policy or recorded episodes must be known for this env."""
        return super().refuse(env) or too_many_axes(env) or self._no_expert(env)

    def _no_expert(self, env: VectorEnv) -> str | None:
        space, actions = env.single_observation_space, env.single_action_space
        if self.recorded:
            try:
                held = recorded.load(self.recorded, self.recorded_sha256)
            except ValueError as error:
                return str(error)
            return held.unfit(int(space.shape[0]), int(actions.n))  # type: ignore[index,attr-defined]
        world = world_of(env)
        if world is None:
            return "it has no reference policy; give 'recorded' episodes"
        rng = np.random.default_rng(0)
        try:
            world.act(self.policy, world.reset(rng, 1), rng)
        except LookupError as error:
            return str(error.args[0] if error.args else error)
        return None

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Show an expert."""
        if not self.intensity:
            return ControlledEnv(self, env, rng, clock)
        return (_Replayed if self.recorded else _Live)(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """Episodes that begin with an expert to see."""
        del env, rng
        return expects_shown(1 - self.dropout)


class _Expert(Beside):
    """``actions`` comes once a step, before what the agent does: the expert acts then, too."""

    def __init__(
        self, control: Any, env: VectorEnv, rng: np.random.Generator, clock: Clock
    ) -> None:
        super().__init__(control, env, rng, clock, seen_bounds(env))
        self.absent = np.zeros(self.num_envs, bool)

    def there(self) -> Array:
        return self.exposed & ~self.absent

    def actions(self, chosen: Array) -> Array:
        drawn = self.rng.random(self.num_envs) < self.control.dropout
        if self.control.dropout_per == "step":
            self.absent = drawn
        self.advance()
        return chosen

    def begun(self, rows: Array) -> None:
        super().begun(rows)
        self.absent[rows] = self.rng.random(len(rows)) < self.control.dropout
        self.enter(rows)

    def advance(self) -> None:
        """Let all experts take a step."""
        raise NotImplementedError

    def enter(self, rows: Array) -> None:
        """Let those of the copies ``rows`` start."""
        raise NotImplementedError


class _Live(_Expert):
    state: State = None  # of the experts' own copies
    finished: Array  # bool [n]
    doing: Array  # int [n]: the action each takes next, -1 where it has finished

    @property
    def world(self) -> World:
        face: Any = self.env.unwrapped
        return face.world  # type: ignore[no-any-return]

    def enter(self, rows: Array) -> None:
        face: Any = self.env.unwrapped
        if self.state is None:
            self.finished = np.zeros(self.num_envs, bool)
            self.doing = np.full(self.num_envs, -1)
            self.state = face.state
        self.state = put(self.state, rows, take(face.state, rows))
        self.finished[rows] = False
        if self.effective_intensity:
            self.doing[rows] = self.world.act(self.control.policy, take(face.state, rows), self.rng)

    def advance(self) -> None:
        (still,) = self.finished.nonzero()
        after, outcome = self.world.step(self.state, np.maximum(self.doing, 0), self.rng)
        self.state = put(after, still, take(self.state, still))
        self.finished |= outcome.terminated | outcome.truncated
        doing = self.world.act(self.control.policy, self.state, self.rng)
        self.doing = np.where(self.finished, -1, doing)

    def view(self, seen: Array, rows: Array) -> Array:
        del seen
        watched = self.world.observe(take(self.state, rows))
        actions = len(self.world.action_names)
        return np.concatenate([watched, one_hot(self.doing[rows], actions)], axis=1)


class _Replayed(_Expert):
    def __init__(
        self, control: Any, env: VectorEnv, rng: np.random.Generator, clock: Clock
    ) -> None:
        super().__init__(control, env, rng, clock)
        self.held = recorded.load(control.recorded, control.recorded_sha256)
        self.which = np.zeros(self.num_envs, int)  # episode
        self.time = np.zeros(self.num_envs, int)

    def enter(self, rows: Array) -> None:
        self.which[rows] = self.rng.integers(len(self.held.lengths), size=len(rows))
        self.time[rows] = 0

    def advance(self) -> None:
        self.time += 1

    def view(self, seen: Array, rows: Array) -> Array:
        which, time = self.which[rows], self.time[rows]
        last = self.held.lengths[which] - 1
        at = self.held.starts[which] + np.minimum(time, last)
        doing = np.where(time <= last, self.held.actions[at], -1)
        actions: Any = self.single_action_space
        watched = self.held.observations[at].astype(seen.dtype)
        return np.concatenate([watched, one_hot(doing, int(actions.n))], axis=1)
