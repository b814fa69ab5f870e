"""Transfers what objectives have learned of others' values to and from agent states.

Also how an edit may corrupt the transferable value-model parameters of an agent state.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from agents.agent_state import AgentState, RefusedEditError
from agents.arrays import Array
from agents.contract import LiveObjective

LiveObjectives = Mapping[str, LiveObjective]


def exported_values(live_objectives: LiveObjectives) -> dict[str, Array]:
    """Copies of everything an edit may touch, ``{objective}/{array}``: ``AgentState.values``."""
    return {
        f"{name}/{key}": np.array(each)
        for name, live_objective in live_objectives.items()
        for key, each in live_objective.transferable_parameters().items()
    }


def value_names(live_objectives: LiveObjectives) -> tuple[str, ...]:
    """Names of everything an edit may touch."""
    return tuple(
        f"{name}/{key}"
        for name, live_objective in live_objectives.items()
        for key in live_objective.transferable_parameters()
    )


def value_problems(values: Mapping[str, Array], live_objectives: LiveObjectives) -> tuple[str, ...]:
    """Why these arrays cannot be put into these objectives; empty if they can."""
    mine = exported_values(live_objectives) if values else {}
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
        live_objective.import_parameters(
            {**live_objective.transferable_parameters(), **{k: np.array(v) for k, v in own.items()}}
        )


NOTHING_LEARNED = "this agent has learned nothing of others' values"
"""Why both edits refuse an agent state without values: the genome does not show them."""


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
