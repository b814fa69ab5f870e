"""Normal noise on every number the agent sees, never beyond the bounds of the observation space.

Fresh at every step and for every number, last observations of an episode included. Where the space
has bounds, what would leave it stays at the bound.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from envs.arrays import Array
from envs.control_kit.clock import Clock
from envs.control_kit.control import (
    LARGEST,
    Control,
    ControlledEnv,
    Expectation,
    Expected,
    Step,
    bounds,
)

_LARGEST_VARIANCE = 1 - 2 / math.pi  # of |z|; bounds only make it less


@dataclass(frozen=True)
class ObservationNoise(Control):
    """``intensity``: standard deviation."""

    unit: ClassVar[str] = "standard deviation, in units of the observation"
    most: ClassVar[float] = LARGEST

    def refuse(self, env: VectorEnv) -> str | None:
        """Whole numbers take no small noise."""
        kind = env.single_observation_space.dtype
        if kind is not None and not np.issubdtype(kind, np.floating):
            return f"observations are {kind}, noise is for floats"
        return super().refuse(env)

    def around(self, env: VectorEnv, rng: np.random.Generator, clock: Clock) -> VectorEnv:
        """Add the noise."""
        return _Noisy(self, env, rng, clock)

    def expects(self, env: VectorEnv, rng: np.random.Generator) -> Expectation:
        """The exact mean of |noise|, clipped to the bounds of each number."""
        del rng
        edges = _Edges(*bounds(env))

        def expected(step: Step, effective_intensity: float) -> Expected:
            total = _moved(step.seen, edges, effective_intensity)
            return {
                "input_change": (total, step.seen.size * _LARGEST_VARIANCE * effective_intensity**2)
            }

        return expected


class _Noisy(ControlledEnv):
    def __init__(
        self, control: Any, env: VectorEnv, rng: np.random.Generator, clock: Clock
    ) -> None:
        super().__init__(control, env, rng, clock)
        shape = env.observation_space.shape or ()
        self.low, self.high = (np.tile(each, self.num_envs).reshape(shape) for each in bounds(env))

    def observations(self, seen: Array, rows: Array) -> Array:
        noise = self.rng.standard_normal(seen.shape, dtype=np.float32)
        noise *= np.float32(self.effective_intensity)
        shown: Array = seen + noise.astype(seen.dtype, copy=False)
        # What lies beyond its bounds already stays, at worst, where it is.
        np.maximum(shown, np.minimum(self.low[: len(rows)], seen), out=shown)
        np.minimum(shown, np.maximum(self.high[: len(rows)], seen), out=shown)
        return shown


class _Edges:
    """How far noise moves a number that lies at a bound, kept for one intensity."""

    def __init__(self, low: Array, high: Array) -> None:
        self.low, self.high = low, high
        self.span, self.sigma = high.astype(float) - low.astype(float), 0.0
        self.each, self.total = np.zeros_like(self.span), 0.0

    def at(self, sigma: float) -> "_Edges":
        """The same for another intensity."""
        if sigma != self.sigma:
            self.sigma, self.each = sigma, _one_way(self.span, sigma)
            self.total = float(self.each.sum())
        return self


def _moved(seen: Array, edges: _Edges, sigma: float) -> float:
    """Sum of E|clipped noise| over all numbers; most of ours lie at a bound, which is quick."""
    low, high = edges.low, edges.high
    inner, known = (seen > low) & (seen < high), edges.at(sigma)
    if not inner.any():
        return len(seen) * known.total
    x, low, high = (
        np.broadcast_to(each, seen.shape)[inner].astype(float) for each in (seen, low, high)
    )
    at_edge = (~inner).sum(axis=0) @ known.each
    return float(at_edge + _one_way(x - low, sigma).sum() + _one_way(high - x, sigma).sum())


def _one_way(span: Array, sigma: float) -> Array:
    """E[min(max(noise, 0), span)]: mean move, in one direction, up to a bound ``span`` away."""
    from scipy.special import ndtr  # noqa: PLC0415  (0.1 s; listing the controls needs none)

    scaled = np.minimum(span / sigma, 40.0)  # nothing is left beyond, and 0 * inf is no number
    density = (1.0 - np.exp(-0.5 * scaled**2)) / math.sqrt(2 * math.pi)
    return np.asarray(sigma * (density + scaled * ndtr(-scaled)))
