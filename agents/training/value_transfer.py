"""What objectives have learned of others' values, carried in and out of minds.

How a rewrite may garble what an agent has learned of somebody else's values.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from agents.agent_state import AgentState, RefusedEditError
from agents.arrays import Array
from agents.contract import LiveObjective

LiveObjectives = Mapping[str, LiveObjective]


def carried(live_objectives: LiveObjectives) -> dict[str, Array]:
    """Copies of everything a rewrite may touch, ``{objective}/{array}``: ``Mind.values``."""
    return {
        f"{name}/{key}": np.array(each)
        for name, live_objective in live_objectives.items()
        for key, each in live_objective.heritage().items()
    }


def value_names(live_objectives: LiveObjectives) -> tuple[str, ...]:
    """Names of everything a rewrite may touch."""
    return tuple(
        f"{name}/{key}"
        for name, live_objective in live_objectives.items()
        for key in live_objective.heritage()
    )


def value_problems(values: Mapping[str, Array], live_objectives: LiveObjectives) -> tuple[str, ...]:
    """Why these arrays cannot be put into these objectives; empty if they can."""
    mine = carried(live_objectives) if values else {}
    found = []
    for name, each in values.items():
        if name not in mine:
            found.append(f"values {name}: no objective has it")
        elif np.shape(each) != mine[name].shape:
            found.append(f"values {name}: {np.shape(each)}, not {mine[name].shape}")
        elif not np.isfinite(each).all():
            found.append(f"values {name}: not finite")
    return tuple(found)


def import_values(values: Mapping[str, Array], live_objectives: LiveObjectives) -> None:
    """Put these arrays, which fit, into the objectives; what is not named stays as it is."""
    for name in sorted({key.partition("/")[0] for key in values}):
        own = {k.removeprefix(f"{name}/"): v for k, v in values.items() if k.startswith(f"{name}/")}
        live_objective = live_objectives[name]
        live_objective.inherit(
            {**live_objective.heritage(), **{k: np.array(v) for k, v in own.items()}}
        )


NOTHING_LEARNED = "this agent has learned nothing of anybody's values"
"""Why both edits refuse a mind without values: a genome cannot tell."""


def rms(array: Array) -> float:
    """Root mean square; 0 of an empty array."""
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64)))) if array.size else 0.0


def with_values(agent_state: AgentState, change: Callable[[Array], Array]) -> AgentState:
    """Change every float array of its value models; counts and flags stay, as copies.

    ``change`` gets float64. Raises ``RefusedEditError`` where there is no array at all.
    """
    if not agent_state.values:
        raise RefusedEditError(NOTHING_LEARNED)
    changed: Mapping[str, Array] = {
        name: _changed(each, change) for name, each in sorted(agent_state.values.items())
    }
    return replace(agent_state, values=changed)


def _changed(array: Array, change: Callable[[Array], Array]) -> Array:
    if not np.issubdtype(array.dtype, np.floating):
        return array.copy()
    return np.asarray(change(array.astype(np.float64)), array.dtype)
