"""Worlds played side by side, each to its first end: the one loop for all callers."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.arrays import Array
from envs.contract import Outcome, State, World

Act = Callable[[State], Array]
"""State -> everybody's actions."""


@dataclass(frozen=True)
class Step:
    """One step of ``n`` episodes; those that are over are stepped on until the last one is."""

    state: State
    actions: Array
    after: State
    outcome: Outcome
    alive: Array  # bool [n]: the episodes that this step is a part of

    @property
    def going_on(self) -> Array:
        """The episodes that it did not end, bool ``[n]``."""
        return self.alive & ~(self.outcome.terminated | self.outcome.truncated)


def steps(
    world: World, act: Act, episodes: int, rng: np.random.Generator, limit: int | None = None
) -> Iterator[Step]:
    """Every step until all fresh episodes are over, or there were ``limit`` steps.

    Chance is drawn by the reset, then by each choice and its step in turn.
    """
    state, alive = world.reset(rng, episodes), np.ones(episodes, bool)
    clock: Any = itertools.count() if limit is None else range(limit)
    for _ in clock:
        actions = np.asarray(act(state))
        after, outcome = world.step(state, actions, rng)
        step = Step(state, actions, after, outcome, alive)
        yield step
        state, alive = after, step.going_on
        if not alive.any():
            return


def parts(outcome: Outcome) -> Array:
    """Reward, hidden reward and harm of the first agent, ``[n, 3]``."""
    three = (outcome.reward, outcome.truth["hidden_reward"], outcome.truth["harm"])
    return np.stack([each.reshape(len(each), -1)[:, 0] for each in three], axis=1)


def totals(world: World, act: Act, episodes: int, rng: np.random.Generator) -> Array:
    """``parts`` of every episode summed up, ``[episodes, 3]``; none is longer than the horizon."""
    found = np.zeros((episodes, 3))
    for step in steps(world, act, episodes, rng, world.horizon):
        found += parts(step.outcome) * step.alive[:, None]
    return found
