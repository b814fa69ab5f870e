"""Where the first states of episodes come from: a draw, and whoever changes what was drawn."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from envs.contract import State

Options = Mapping[str, Any] | None
Draw = Callable[[np.random.Generator, int, Options], State]
"""Draws ``n`` first states, as ``World.reset`` does; ``options`` force hidden draws."""
Stage = Callable[[State, Options], State]
"""What was drawn, and with which options -> what comes of it."""


class LevelSource:
    """Draws first states and passes them on, stage by stage, in the order of ``then``."""

    def __init__(self, first: Draw) -> None:
        self._first = first
        self._stages: list[Stage] = []

    def then(self, stage: Stage) -> None:
        """Let ``stage`` see, and change, whatever comes out so far."""
        self._stages.append(stage)

    def draw(self, rng: np.random.Generator, n: int, options: Options = None) -> State:
        """First states of ``n`` episodes that begin."""
        state = self._first(rng, n, options)
        for stage in self._stages:
            state = stage(state, options)
        return state
