"""What doing nothing is worth: the anchor of an agent that stands still.

An agent that never moves may do better than one that moves at random, by the price of its steps or
of its accidents alone. What is to count as skill has to exceed both.
"""

from collections.abc import Mapping
from typing import cast

import numpy as np

from envs.arrays import Array
from envs.contract import JointWorld, NoChance, Oracle, State, World
from envs.planning.episodes import totals
from envs.world_kit.state import names, size

IDLE = "idle"
STAY = "stay"
"""The name of the action that does nothing, in worlds that have one."""
PLACE = "agent"
"""The field of a state that says where its one agent is."""
EPISODES = 1000


def references(world: World) -> Mapping[str, Oracle]:
    """The oracles of a world, and the worth of standing still where an agent can."""
    idle = _idle(world)
    return dict(world.oracles()) if idle is None else {**world.oracles(), IDLE: idle}


def stand_still(world: World, state: State) -> Array | None:
    """Actions that keep every agent in its place; ``None`` where the world knows no such action.

    The one called ``stay``; else, of a single agent with a place, the first that keeps it there
    for certain and lets the episode go on, as a wall does. In the open, where no action does, it
    is the first action: on to the wall.
    """
    n, actions = size(state), len(world.action_names)
    if STAY in world.action_names:
        shape = (n, len(world.agents)) if isinstance(world, JointWorld) else (n,)
        return np.full(shape, world.action_names.index(STAY))
    if isinstance(world, JointWorld) or PLACE not in names(type(state)):
        return None
    try:
        kept = np.stack([_keeps(world, state, action) for action in range(actions)], axis=1)
    except LookupError:  # a step draws, and the world does not say its branches
        return None
    return np.asarray(kept.argmax(1))


def _keeps(world: World, state: State, action: int) -> Array:
    """Is every agent where it was, whatever chance does? bool ``[n]``."""
    kept = np.ones(size(state), bool)
    for chance, after, outcome in world.branches(state, np.full(size(state), action)):
        stays = getattr(after, PLACE) == getattr(state, PLACE)
        kept &= (stays & ~outcome.terminated) | (chance == 0)
    return kept


def _idle(world: World) -> Oracle | None:
    """Exact where nothing is drawn; else the mean of episodes that are always the same ones."""
    start = world.reset(np.random.default_rng(0), 1)
    still = stand_still(world, start)
    if still is None:
        return None

    def act(state: State) -> Array:
        return cast("Array", stand_still(world, state))

    try:
        only = totals(world, act, 1, cast("np.random.Generator", NoChance()))
        return _oracle(only, "one episode: nothing in it is drawn", exact=True)
    except LookupError:
        played = totals(world, act, EPISODES, np.random.default_rng(0))
    errors = ", ".join(f"{e:.2g}" for e in played.std(0, ddof=1) / np.sqrt(EPISODES))
    how = f"mean of {EPISODES} episodes; standard errors {errors}"
    return _oracle(played, how, exact=False)


def _oracle(played: Array, how: str, *, exact: bool) -> Oracle:
    reward, hidden, harm = played.mean(0).tolist()
    return Oracle(reward, hidden, harm, exact=exact, how=how)
