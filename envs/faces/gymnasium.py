"""One world as a Gymnasium ``Env`` and as a native Gymnasium ``VectorEnv``.

Ground truth: ``advance`` returns the ``Outcome`` of a step beside its public part, which is all
that ``step`` returns; observations and infos never hold it.
The PettingZoo face is ``envs.faces.pettingzoo.ParallelFace``, the batch of a joint world
``envs.faces.joint_batch.JointBatchFace``.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Space
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from envs.arrays import Array
from envs.contract import Outcome, State, World
from envs.faces.shared import (
    RENDER_MODES,
    Advance,
    LevelSource,
    action_space,
    check_render_mode,
    draw,
    may_know,
    observation_space,
)
from envs.world_kit.state import put, take

Info = dict[str, Any]
Step = tuple[Array, float, bool, bool, dict[str, Any]]
BatchStep = tuple[Array, Array, Array, Array, dict[str, Any]]


class _Seeded:
    """A private generator that the laboratory may pass in and does not share."""

    frozen_seed: bool = False
    """``True``: ``reset(seed=...)`` changes nothing, so a learner cannot reseed its world."""
    np_random: np.random.Generator

    @property
    def rng(self) -> np.random.Generator:
        """The only source of chance of this face."""
        return self.np_random

    @rng.setter
    def rng(self, generator: np.random.Generator) -> None:
        self.np_random = generator


class SingleFace(_Seeded, gymnasium.Env[Array, np.int64]):
    """One world as a Gymnasium ``Env``; internally a batch of one."""

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 4}  # noqa: RUF012  (Gymnasium's)

    def __init__(
        self,
        world: World,
        *,
        render_mode: str | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.world = world
        self.render_mode = check_render_mode(render_mode)
        self.observation_space = observation_space(world)
        self.action_space = action_space(world)
        self._actions = len(world.action_names)
        self._state: State = None
        self._running = False
        if rng is not None:
            self.rng = rng

    def reset(
        self, *, seed: int | None = None, options: Info | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start an episode; ``options`` force the world's hidden draws by name."""
        super().reset(seed=None if self.frozen_seed else seed)
        self._state = self.world.reset(self.np_random, 1, options)
        self._running = True
        return self.world.observe(self._state)[0], {}

    def step(self, action: np.int64) -> Step:
        """Take one action. Raises ``ResetNeeded`` where no episode is under way."""
        return self.advance(action).public

    def advance(self, action: np.int64) -> Advance[Step]:
        """Take one action; its ground truth comes beside what ``step`` returns."""
        if not self._running:
            raise ResetNeeded("no episode is under way: call reset() before step()")
        if not 0 <= action < self._actions:
            raise ValueError(f"action {action!r} is not in 0..{self._actions - 1}")
        actions = np.array([action], np.int64)
        before = self._state
        self._state, outcome = self.world.step(before, actions, self.np_random)
        terminated, truncated = bool(outcome.terminated[0]), bool(outcome.truncated[0])
        self._running = not (terminated or truncated)
        seen = self.world.observe(self._state)[0]
        info = {name: int(values[0]) for name, values in may_know(outcome).items()}
        public = seen, float(outcome.reward[0]), terminated, truncated, info
        return Advance(public, outcome, before)

    def render(self) -> Any:
        """Draw the world in the render mode given to the constructor."""
        return draw(self.world, self._state, 0, self.render_mode)


class BatchedWorlds(_Seeded, VectorEnv[Array, Array, Array]):
    """What the batched faces share: copies of one world, stepped and restarted in one pass.

    A leaf says how one copy's observation and actions are shaped.
    """

    metadata = {  # noqa: RUF012  (Gymnasium's)
        "render_modes": list(RENDER_MODES),
        "render_fps": 4,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        world: World,
        num_envs: int = 1,
        *,
        render_mode: str | None = None,
        rng: np.random.Generator | None = None,
        levels: LevelSource | None = None,
    ) -> None:
        """``levels`` are the world's own where none are given."""
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, not {num_envs}")
        self.world = world
        self.num_envs = num_envs
        self.render_mode = check_render_mode(render_mode)
        self.single_observation_space, self.single_action_space = self._spaces(world)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._levels = levels or LevelSource(world.reset)
        self._shape = (num_envs, *(self.single_action_space.shape or ()))
        self._actions = len(world.action_names)
        self._state: State = None
        self._last: Outcome | None = None
        if rng is not None:
            self.rng = rng

    @abstractmethod
    def _spaces(self, world: World) -> tuple[Space[Any], Space[Any]]:
        """Spaces of what one copy shows and takes."""

    @property
    def state(self) -> State:
        """The worlds as they stand; a value, for controls and tests, never for a learner."""
        return self._state

    @property
    def levels(self) -> LevelSource:
        """Where first states come from; controls of levels add to it."""
        return self._levels

    @property
    def last(self) -> Outcome | None:
        """The ground truth of the last step; for controls and tests, never for a learner."""
        return self._last

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start all episodes anew. ``options`` hold for these first episodes only."""
        super().reset(seed=None if self.frozen_seed else seed)
        self._state = self._levels.draw(self.np_random, self.num_envs, options)
        return self.world.observe(self._state), {}

    def step(self, actions: Array) -> BatchStep:
        """Step all worlds; an ended one shows the first observation of its next episode."""
        return self.advance(actions).public

    def advance(self, actions: Array) -> Advance[BatchStep]:
        """Step all worlds; its ground truth comes beside what ``step`` returns."""
        if self._state is None:
            raise ResetNeeded("no episode is under way: call reset() before step()")
        chosen = np.asarray(actions, np.int64)
        # Seen as unsigned, a negative action is a huge one: one pass checks both ends.
        if chosen.shape != self._shape or chosen.view(np.uint64).max() >= self._actions:
            wanted = " x ".join(map(str, self._shape))
            raise ValueError(
                f"actions must be {wanted} integers in 0..{self._actions - 1}, not {actions!r}"
            )
        before = self._state
        state, outcome = self.world.step(before, chosen, self.np_random)
        (ended,) = (outcome.terminated | outcome.truncated).nonzero()
        infos: dict[str, Any] = {}
        for name, values in may_know(outcome).items():
            infos |= {name: values.copy(), f"_{name}": np.ones(self.num_envs, bool)}
        if len(ended):
            infos |= self._final(take(state, ended), ended)
            state = put(state, ended, self._levels.draw(self.np_random, len(ended)))
        self._state = state
        # Copies: a recorder may keep the outcome, and a learner may write into what it is given.
        public = (
            self.world.observe(state),
            outcome.reward.copy(),
            outcome.terminated.copy(),
            outcome.truncated.copy(),
            infos,
        )
        self._last = outcome  # without the public part: keeping large arrays alive costs a tenth
        return Advance(public, outcome, before)

    def _final(self, last: State, ended: Array) -> dict[str, Any]:
        seen = self.world.observe(last)
        final = np.full(self.num_envs, None, dtype=object)
        for i, row in zip(ended.tolist(), seen, strict=True):
            final[i] = row
        mask = np.zeros(self.num_envs, bool)
        mask[ended] = True
        return {
            "final_obs": final,
            "_final_obs": mask,
            "final_info": {},
            "_final_info": mask.copy(),
        }

    def render(self) -> tuple[Any, ...] | None:
        """Draw every world in the render mode given to the constructor."""
        if self.render_mode is None or self._state is None:
            return None
        return tuple(
            draw(self.world, self._state, i, self.render_mode) for i in range(self.num_envs)
        )


class BatchFace(BatchedWorlds):
    """``num_envs`` copies of one world, stepped in one pass; ended ones restart in the same step.

    ``final_obs`` and ``final_info`` come as Gymnasium's ``SyncVectorEnv`` gives them in SAME_STEP
    mode: object arrays or dicts with a mask of the same name and a leading underscore.
    ``executed`` holds the actions that were carried out, in worlds that replace some;
    ``label`` holds the right ones, in worlds that give them.
    """

    def _spaces(self, world: World) -> tuple[Space[Any], Space[Any]]:
        return observation_space(world), action_space(world)


def batch_of(env: VectorEnv) -> BatchedWorlds | None:
    """The batched face at the bottom of ``env``; ``None`` where the env is not ours."""
    face = env.unwrapped
    return face if isinstance(face, BatchedWorlds) else None
