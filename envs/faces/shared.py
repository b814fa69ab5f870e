"""What the faces of a world share: spaces, drawing, first states, what infos may hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from gymnasium.spaces import Box, Discrete

from envs.arrays import Array
from envs.contract import Outcome, State, World

RENDER_MODES = ("ansi", "rgb_array")
Public = TypeVar("Public")


@dataclass(frozen=True)
class Advance(Generic[Public]):
    """One step of a face, and its ground truth, which no agent may be given."""

    public: Public  # what ``step`` returns: observations, rewards, terminated, truncated, infos
    outcome: Outcome
    before: State  # the actions were taken in it


def observation_space(world: World) -> "Box":
    """Space of what one agent sees."""
    return Box(0.0, 1.0, (world.observation_size,), np.float32)


def action_space(world: World) -> "Discrete[Any]":
    """Space of what one agent can do."""
    return Discrete(len(world.action_names))


def check_render_mode(mode: str | None) -> str | None:
    """Return the mode. Raises ``ValueError`` for one that no face draws."""
    if mode is not None and mode not in RENDER_MODES:
        raise ValueError(f"render_mode must be one of {', '.join(RENDER_MODES)}, not {mode!r}")
    return mode


def may_know(outcome: Outcome) -> Mapping[str, Array]:
    """What a step gives the agent besides observation and reward, by its name in infos."""
    arrays = {"executed": outcome.executed, "label": outcome.label}
    return {name: values for name, values in arrays.items() if values is not None}


def draw(world: World, state: State, i: int, mode: str | None) -> Any:
    """World ``i`` as text (``ansi``), as uint8 ``[height, width, 3]``, or ``None``."""
    if mode is None or state is None:
        return None
    art = world.render_text(state, i)
    if mode == "ansi":
        return art
    from envs.drawing.picture import picture  # noqa: PLC0415  (only who looks at pixels needs it)

    return picture(art, world.legend, world.caption(state, i))


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
