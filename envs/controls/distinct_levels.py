"""Training repeats few levels: a share of episodes is drawn from a fixed pool.

How many distinct levels are trained on decides how well agents do on others (Cobbe et al. 2019,
arXiv:1812.02341, on CoinRun). The pool is drawn once: levels of the world, all different and from
then on equally likely. For an env that is not ours it is a pool of seeds, each of which fixes all
chance of an episode.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.control_kit.clock import Clock
from envs.control_kit.control import Control, ControlledEnv, Expectation
from envs.control_kit.level_draws import Swapped, Swaps, few, pool, shown_by, world_of
from envs.control_kit.seed_pools import reseed, sealed, seeds
from envs.world_kit.settings import WorldSettingError


@dataclass(frozen=True)
class DistinctLevels(Control):
    """``intensity``: share of episodes on levels of the pool."""

    levels: int = 16  # in the pool

    unit: ClassVar[str] = "share of episodes on levels of the pool"
    swaps_levels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse bad settings by name."""
        super().__post_init__()
        if self.levels < 1:
            raise WorldSettingError(f"levels must be at least 1, not {self.levels}", "levels")

    def refuse(self, env: VectorEnv) -> str | None:
        """The pool must be smaller than the set of all levels."""
        world = world_of(env)
        narrow = sealed(env) if world is None else few(world, self.levels)
        return super().refuse(env) or narrow

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Draw the pool, and then from it."""
        world = world_of(env)
        if world is None:
            return _Pooled(self, env, rng, clock)
        return Swapped(self, env, rng, clock, pool(world, rng, self.levels))

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """A level shows where the world would have drawn another one; a seed always does."""
        world = world_of(env)
        return Swaps(*shown_by(env, pool(world, rng, self.levels), rng)) if world else Swaps()


class _Pooled(ControlledEnv):
    def __init__(
        self,
        control: DistinctLevels,
        env: VectorEnv,
        rng: np.random.Generator,
        clock: Clock,
    ) -> None:
        super().__init__(control, env, rng, clock)
        self.pool = seeds(rng, (control.levels,))
        reseed(env, self._choose)

    def _choose(self, i: int) -> int | None:
        del i
        if not self.effective_intensity:
            return None
        pooled, which = (
            self.rng.random() < self.effective_intensity,
            self.rng.integers(len(self.pool)),
        )
        return int(self.pool[which]) if pooled else None
