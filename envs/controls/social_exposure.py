"""A share of episodes has other agents in it, whose welfare can be observed.

Where the world names a distribution ``with_others`` of its levels, these are its levels. Elsewhere
the other one is the agent's neighbour, the next copy of the env: the observation grows by what the
neighbour sees, the action that it took last (one-hot), the reward it got for that (its welfare) and
whether it is there. Neighbours are the same learner on other levels: the agent observes another
agent and its welfare, but has no way to help or harm it.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.control_kit.beside import Beside, expects_shown, one_hot, seen_bounds, too_many_axes
from envs.control_kit.clock import Clock
from envs.control_kit.control import Control, ControlledEnv, Expectation
from envs.control_kit.level_draws import Swapped, Swaps, distributions, missing, shown_by
from envs.world_kit.settings import WorldSettingError

_LEVELS = "with_others"
_TWO = 2


@dataclass(frozen=True)
class SocialExposure(Control):
    """``intensity``: share of episodes with others."""

    others: Literal["auto", "levels", "neighbours"] = "auto"  # auto: levels where there are any

    unit: ClassVar[str] = "share of episodes with others"

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if self.others not in {"auto", "levels", "neighbours"}:
            raise WorldSettingError(
                f"others must be auto, levels or neighbours, not {self.others!r}", "others"
            )

    def _by_levels(self, env: VectorEnv) -> bool:
        return self.others == "levels" or (self.others == "auto" and _LEVELS in distributions(env))

    def refuse(self, env: VectorEnv) -> str | None:
        """There must be another agent."""
        narrow = missing(env, (_LEVELS,)) if self._by_levels(env) else self._alone(env)
        return super().refuse(env) or narrow

    def _alone(self, env: VectorEnv) -> str | None:
        if self.intensity and env.num_envs < _TWO:
            return "a neighbour is another copy of the env: the learner needs num_envs of 2 or more"
        return too_many_axes(env)

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Add the others."""
        if not self.intensity:
            return ControlledEnv(self, env, rng, clock)
        if self._by_levels(env):
            return Swapped(self, env, rng, clock, distributions(env)[_LEVELS].reset)
        return _Neighbours(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """Episodes that begin on a level with others, or with a neighbour to see."""
        if self._by_levels(env):
            return Swaps(*shown_by(env, distributions(env)[_LEVELS].reset, rng))
        return expects_shown(1.0)


class _Neighbours(Beside):
    """Copy ``i`` sees copy ``i + 1``, the last one the first."""

    def __init__(
        self, control: Any, env: VectorEnv, rng: np.random.Generator, clock: Clock
    ) -> None:
        low, high = seen_bounds(env)
        bounds = np.append(low, -np.inf), np.append(high, np.inf)
        super().__init__(control, env, rng, clock, bounds)
        space: Any = env.single_observation_space
        self.latest = np.zeros((self.num_envs, *space.shape), space.dtype)
        self.doing = np.full(self.num_envs, -1)
        self.welfare = np.zeros(self.num_envs)

    def rewards(self, rewards: Array) -> Array:
        """Keep the actions and rewards of all copies on this step."""
        actions: Any = self.single_action_space
        self.doing, self.welfare = self.carried - int(actions.start), rewards.copy()
        return rewards

    def view(self, seen: Array, rows: Array) -> Array:
        """The neighbour as it is now; one whose episode just ended, as it was at the end."""
        self.latest[rows] = seen
        actions: Any = self.single_action_space
        other = (rows + 1) % self.num_envs
        did = one_hot(self.doing[other], int(actions.n))
        return np.concatenate([self.latest[other], did, self.welfare[other, None]], axis=1)
