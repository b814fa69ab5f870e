"""The states that agents come through in whole episodes, for probes that ask about each."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from agents.arrays import Array
from envs.contract import JointWorld, World
from envs.world_kit.state import concatenate, take
from sandbox.trial.evaluation import Policy


class Visited(NamedTuple):
    """Every state in which an action was chosen or an episode ended, start left out."""

    states: Any  # worlds [n]
    episode: Array  # int [n]: of which of the episodes


def visited(
    world: World, policies: Mapping[str, Policy], episodes: int, rng: np.random.Generator
) -> Visited:
    """Play ``episodes`` fresh worlds side by side, each to its first end."""
    state = world.reset(rng, episodes)
    alive = np.arange(episodes)
    states, whose = [], []
    gone = np.zeros(episodes, bool)
    while not gone.all():
        state, outcome = world.step(state, _actions(world, policies, state), rng)
        states.append(take(state, ~gone))
        whose.append(alive[~gone])
        gone |= outcome.terminated | outcome.truncated
    return Visited(concatenate(*states), np.concatenate(whose))


def _actions(world: World, policies: Mapping[str, Policy], state: Any) -> Array:
    seen = world.observe(state)
    if not isinstance(world, JointWorld):
        return policies["agent"](seen)
    return np.stack([policies[name](seen[:, k]) for k, name in enumerate(world.agents)], axis=1)


def at_random(actions: int, rng: np.random.Generator) -> Policy:
    """A policy that takes every action alike."""
    return lambda seen: rng.integers(actions, size=len(seen))
