"""Normal noise on every number the agent sees, never beyond the bounds of the observation space.

Fresh at every step and for every number, last observations of an episode included. Where the space
has bounds, what would leave it stays at the bound.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.contract import Array
from envs.control import Control, ControlledEnv, Expectation, Expected, Step, bounds

_LARGEST_VARIANCE = 1 - 2 / math.pi  # of |z|; bounds only make it less


@dataclass(frozen=True)
class ObservationNoise(Control):
    """``intensity``: standard deviation."""

    unit: ClassVar[str] = "standard deviation, in units of the observation"
    most: ClassVar[float] = math.inf

    def refuse(self, env: VectorEnv) -> str | None:
        """Whole numbers take no small noise."""
        kind = env.single_observation_space.dtype
        if kind is not None and not np.issubdtype(kind, np.floating):
            return f"observations are {kind}, noise is for floats"
        return super().refuse(env)

    def wrap(self, env: VectorEnv, rng: np.random.Generator, span_steps: int) -> VectorEnv:
        """Add the noise."""
        return _Noisy(self, env, rng, span_steps)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """The mean of |noise|, exactly, for the room that each number had."""
        del rng
        low, high = (each.astype(float) for each in bounds(env))

        def expected(step: Step, strength: float) -> Expected:
            total = _moved(step.seen.astype(float), low, high, strength)
            return {"input_change": (total, step.seen.size * _LARGEST_VARIANCE * strength**2)}

        return expected


class _Noisy(ControlledEnv):
    def observations(self, seen: Array, rows: Array) -> Array:
        noise = self.rng.standard_normal((self.num_envs, *seen.shape[1:]), dtype=np.float32)[rows]
        low, high = (each.reshape(seen.shape[1:]) for each in bounds(self))
        noisy = seen + np.asarray(self.strength * noise, seen.dtype)
        return np.asarray(np.clip(noisy, np.minimum(low, seen), np.maximum(high, seen)))


def _moved(seen: Array, low: Array, high: Array, sigma: float) -> float:
    """Sum of E|clipped noise| over all numbers; most of ours lie at a bound, which is quick."""
    down, up = np.maximum(seen - low, 0.0), np.maximum(high - seen, 0.0)
    inner = (down > 0) & (up > 0)
    at_edge = (~inner).sum(axis=0) @ _one_way(high - low, sigma)
    return float(at_edge + _one_way(down[inner], sigma).sum() + _one_way(up[inner], sigma).sum())


def _one_way(room: Array, sigma: float) -> Array:
    """E[min(max(noise, 0), room)]: what noise moves a number that can move so far, one way."""
    from scipy.special import ndtr  # noqa: PLC0415  (0.1 s; listing the shelf needs none)

    scaled = np.minimum(room / sigma, 40.0)  # nothing is left beyond, and 0 * inf is no number
    density = (1.0 - np.exp(-0.5 * scaled**2)) / math.sqrt(2 * math.pi)
    return np.asarray(sigma * (density + scaled * ndtr(-scaled)))
