"""Plays a world in the ways in which its promises are checked: at random, or by a policy."""

from collections.abc import Iterator

import numpy as np

from envs.arrays import Array
from envs.contract import JointWorld, Outcome, State, World
from envs.planning.episodes import parts, steps

ROWS = 7
"""Worlds side by side in a roll-out."""


def shape_of(world: World, n: int) -> tuple[int, ...]:
    """Shape of actions and rewards."""
    return (n, len(world.agents)) if isinstance(world, JointWorld) else (n,)


def random_actions(world: World, rng: np.random.Generator, n: int) -> Array:
    """Actions drawn uniformly."""
    return rng.integers(len(world.action_names), size=shape_of(world, n))


def rollout(
    world: World, seed: int, steps: int, start: State = None
) -> Iterator[tuple[State, Array, State, Outcome]]:
    """State, actions, next state and outcome of random play; ended worlds are stepped on."""
    rng = np.random.default_rng(seed)
    state = world.reset(rng, ROWS) if start is None else start
    for _ in range(steps):
        actions = random_actions(world, rng, ROWS)
        after, outcome = world.step(state, actions, rng)
        yield state, actions, after, outcome
        state = after


def play(world: World, policy: str | int, episodes: int, seed: int) -> tuple[Array, set[str]]:
    """Totals ``[episodes, 3]`` of a reference policy, and the ways in which episodes ended.

    A policy that is a number takes that action always.
    """
    rng = np.random.default_rng(seed)

    def act(state: State) -> Array:
        if isinstance(policy, int):
            return np.full(shape_of(world, episodes), policy)
        if policy == "random":
            return random_actions(world, rng, episodes)
        return world.act(policy, state, rng)

    totals, ends = np.zeros((episodes, 3)), set()
    for step in steps(world, act, episodes, rng, world.horizon):
        totals += parts(step.outcome) * step.alive[:, None]
        for end in ("terminated", "truncated"):
            if (getattr(step.outcome, end) & step.alive).any():
                ends.add(end)
    return totals, ends


def playable(world: World) -> Iterator[str]:
    """Names of the reference policies whose actions are known."""
    rng = np.random.default_rng(0)
    state = world.reset(rng, 2)
    for policy in world.oracles():
        try:
            world.act(policy, state, rng)
        except LookupError:
            continue
        yield policy
