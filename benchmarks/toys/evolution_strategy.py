"""A (1, lambda) evolution strategy whose step sizes evolve too: the mutation of editors, alone.

After Schwefel 1981 and Beyer 2001, chapter 7. The best child replaces its parent, always, and
hands on the steps that made it; so a step is selected by the child that it led to.
"""

from collections.abc import Callable, Sequence

import numpy as np

from agents.arrays import Array
from agents.editing.mutation import Bounds, mutated_steps, normal_draws

FREE: Bounds = (1e-100, 1e100)
"""No bounds, but for what a float and its square can hold."""


def mutated_point(point: Array, step: float, noise: Array) -> Array:
    """``point + step noise``, float ``[n]``: isotropic normal mutation."""
    return point + step * noise


def sphere(point: Array) -> float:
    """Sum of squares; 0 at the origin."""
    return float(point @ point)


def evolve(
    loss: Callable[[Array], float],
    start: Array,
    steps: Sequence[float],
    rng: np.random.Generator,
    *,
    generations: int,
    children: int = 10,
    bounds: Sequence[Bounds] | None = None,
) -> tuple[float, tuple[float, ...]]:
    """Minimise ``loss`` from ``start``, float ``[n]``; returns the last parent's loss and steps.

    ``steps`` is the tower of ``agents/editing/mutation.py``: ``(sigma,)`` stays fixed, ``(sigma,
    tau)`` adapts sigma, ``(sigma, tau, tau2)`` adapts tau too, and so on. ``bounds`` hold each of
    them.
    """
    held = bounds or [FREE] * len(steps)
    parent, mine, found = start, tuple(steps), loss(start)
    for _ in range(generations):
        litter = []
        for _ in range(children):
            own = mutated_steps(mine, normal_draws(rng, len(mine) - 1), held)
            child = mutated_point(parent, own[0], rng.standard_normal(len(start)))
            litter.append((loss(child), child, own))
        found, parent, mine = min(litter, key=lambda each: each[0])
    return found, mine
