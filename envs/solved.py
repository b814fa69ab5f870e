"""Worlds that always begin alike, solved: what their reference policies do and are worth."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from envs import planning
from envs.contract import Oracle, World


@cache
def planner(world: World) -> planning.Planner:
    """Plans from the one first state of a world; ``reset`` must draw nothing."""
    start = world.reset(np.random.default_rng(0), 1)
    return planning.Planner(planning.explore(world, start), world.horizon)


@cache
def oracles(world: World) -> Mapping[str, Oracle]:
    """Exact values of the reference policies from there."""
    start = world.reset(np.random.default_rng(0), 1)
    return planning.anchors(planner(world).model, start, np.ones(1), world.horizon)
