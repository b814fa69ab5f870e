"""Shared by controls of levels: a share of episodes begins on levels of another distribution."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.contract import State, World
from envs.control_kit.clock import Clock
from envs.control_kit.control import Control, ControlledEnv, Expectation, Expected, Step
from envs.faces.gymnasium import batch_of
from envs.world_kit.state import differing, put, size, take

SAMPLE = 16_384
"""Levels drawn to find out how often two draws are the same level anyway."""

Draw = Callable[[np.random.Generator, int], State]
"""Draws ``n`` first states."""


def world_of(env: VectorEnv) -> World | None:
    """The world behind the env, where it is one of ours whose draw of levels can be replaced."""
    face = batch_of(env)
    return None if face is None else face.world


def distributions(env: VectorEnv) -> Mapping[str, World]:
    """Level distributions by name; none where the env is not ours."""
    world = world_of(env)
    return {} if world is None else world.distributions()


def missing(env: VectorEnv, names: tuple[str, ...]) -> str | None:
    """One line: why levels of these distributions cannot be had; ``None`` where they can."""
    if world_of(env) is None:
        return "the env names no distributions of levels; 'distinct_levels' takes any env"
    known = distributions(env)
    unknown = [name for name in names if name not in known]
    if unknown:
        return f"the world has no distribution '{unknown[0]}' of levels; it has: {', '.join(known)}"
    return None


class Swapped(ControlledEnv):
    """New episodes begin, with chance ``effective_intensity``, on a level that ``draw`` makes."""

    def __init__(
        self, control: Any, env: VectorEnv, rng: np.random.Generator, clock: Clock, draw: Draw
    ) -> None:
        super().__init__(control, env, rng, clock)
        self.draw = draw

    def levels(self, state: State) -> State:
        """Draw for every episode that begins, and swap some."""
        n = size(state)
        swapped = np.flatnonzero(self.rng.random(n) < self.effective_intensity)
        return put(state, swapped, take(self.draw(self.rng, n), swapped))


@dataclass(frozen=True)
class FromElsewhere(Control):
    """A control that draws levels from one other distribution of the world."""

    to: str = "shifted"  # one of the world's distributions of levels

    unit: ClassVar[str] = "share of levels from the other distribution"
    swaps_levels: ClassVar[bool] = True

    def refuse(self, env: VectorEnv) -> str | None:
        """Only worlds of ours name distributions."""
        return super().refuse(env) or missing(env, (self.to,)) or self._idle(env)

    def _idle(self, env: VectorEnv) -> str | None:
        same = distributions(env)[self.to] == world_of(env)
        return f"the world draws its levels from '{self.to}' as it is" if same else None

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Swap in levels of the other distribution."""
        return Swapped(self, env, rng, clock, distributions(env)[self.to].reset)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """A level shows where the world would have drawn another one."""
        return Swaps(*shown_by(env, distributions(env)[self.to].reset, rng))


class Swaps:
    """What a meter should find: so many episodes on another level.

    ``shows`` is the chance that a swap shows, and ``doubt`` one standard deviation of what is known
    of that. One doubt for all episodes: its variance grows with the square of their number.
    """

    def __init__(self, shows: float = 1.0, doubt: float = 0.0) -> None:
        self.shows, self.doubt, self.swaps = shows, doubt, 0.0

    def __call__(self, step: Step, effective_intensity: float) -> Expected:
        """See ``Control.expects``."""
        before, self.swaps = self.swaps, self.swaps + step.drawn * effective_intensity
        chance = effective_intensity * self.shows
        spread = step.drawn * chance * (1 - chance)
        shared = (self.swaps**2 - before**2) * self.doubt**2
        return {"episodes_changed": (step.drawn * chance, spread + shared)}


def shown_by(env: VectorEnv, draw: Draw, rng: np.random.Generator) -> tuple[float, float]:
    """Chance that a level of ``draw`` is not the one it replaces, and how sure that is."""
    world = world_of(env)
    if world is None:
        return 1.0, 0.0
    differs = float(differing(draw(rng, SAMPLE), world.reset(rng, SAMPLE)).mean())
    return differs, math.sqrt((differs * (1 - differs) + 1 / SAMPLE) / SAMPLE)


def pool(world: World, rng: np.random.Generator, levels: int) -> Draw:
    """Draw from ``levels`` first states, all different, which are drawn now."""
    drawn = world.reset(rng, _enough(levels))
    kept = take(drawn, np.sort(_firsts(drawn))[:levels])
    return lambda rng, n: take(kept, rng.integers(size(kept), size=n))


def few(world: World, levels: int) -> str | None:
    """One line where the world has no more levels than that; ``None`` where it has."""
    found = len(_firsts(world.reset(np.random.default_rng(0), _enough(levels))))
    if found > levels:
        return None
    return f"the world has {_plural(found)} in all, so a pool of {levels} leaves none out"


def _enough(levels: int) -> int:
    """Draws among which so many different levels are found, if there are that many."""
    return 64 * (levels + 1)


def _firsts(drawn: State) -> Array:
    """Where each of the different states is found first."""
    columns = [np.asarray(each).reshape(size(drawn), -1) for each in vars(drawn).values()]
    return np.unique(np.concatenate(columns, axis=1), axis=0, return_index=True)[1]


def _plural(levels: int) -> str:
    return f"{levels} level{'s' * (levels != 1)}"
