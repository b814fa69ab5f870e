"""The states that agents visit in whole episodes, for probes that ask about each."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from agents.arrays import Array
from envs.contract import World
from envs.planning.episodes import steps
from envs.world_kit.state import concatenate, take
from sandbox.trial.evaluation import Policy, players


class Visited(NamedTuple):
    """Every state in which an action was chosen or an episode ended, start left out."""

    states: Any  # worlds [n]
    episode: Array  # int [n]: of which of the episodes


def visited(
    world: World, policies: Mapping[str, Policy], episodes: int, rng: np.random.Generator
) -> Visited:
    """Play ``episodes`` fresh worlds side by side, each to its first end."""
    states, whose = [], []
    for step in steps(world, players(world, policies), episodes, rng):
        states.append(take(step.after, step.alive))
        whose.append(np.flatnonzero(step.alive))
    return Visited(concatenate(*states), np.concatenate(whose))


def at_random(actions: int, rng: np.random.Generator) -> Policy:
    """A policy that takes every action alike."""
    return lambda seen: rng.integers(actions, size=len(seen))
