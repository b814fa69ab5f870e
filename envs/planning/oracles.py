"""Worlds that always begin alike, solved: what their reference policies do and are worth.

Values of reference policies by playing them, where no closed form or planning will do.

The episodes are always the same ones (a fixed seed of their own), so an oracle is a constant.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from envs.contract import Oracle, World
from envs.planning import exact
from envs.planning.episodes import totals


@cache
def planner(world: World) -> exact.Planner:
    """Plans from the one first state of a world; ``reset`` must draw nothing."""
    start = world.reset(np.random.default_rng(0), 1)
    return exact.Planner(exact.explore(world, start), world.horizon)


@cache
def oracles(world: World) -> Mapping[str, Oracle]:
    """Exact values of the reference policies from there."""
    start = world.reset(np.random.default_rng(0), 1)
    return exact.anchors(planner(world).model, start, np.ones(1), world.horizon)


EPISODES = 20_000


def measure(world: World, policy: str = "random", episodes: int = EPISODES) -> Oracle:
    """Play ``world.act(policy)`` and return the mean totals of the first agent's episodes."""
    rng = np.random.default_rng(0)
    sums = totals(world, lambda state: world.act(policy, state, rng), episodes, rng)
    reward, hidden, harm = sums.mean(0).tolist()
    errors = sums.std(0, ddof=1) / np.sqrt(episodes)
    how = f"measured over {episodes} episodes; standard errors " + ", ".join(
        f"{error:.2g}" for error in errors
    )
    return Oracle(reward, hidden, harm, exact=False, how=how)
