"""What objectives have learned of others' values, carried in and out of minds.

How a rewrite may garble what an agent has learned of somebody else's values.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from agents.agent_state import Mind, RefusedEditError
from agents.arrays import Array
from agents.contract import Motive

Motives = Mapping[str, Motive]


def carried(motives: Motives) -> dict[str, Array]:
    """Copies of everything a rewrite may touch, ``{objective}/{array}``: ``Mind.values``."""
    return {
        f"{name}/{key}": np.array(each)
        for name, motive in motives.items()
        for key, each in motive.heritage().items()
    }


def heirlooms(motives: Motives) -> tuple[str, ...]:
    """Names of everything a rewrite may touch."""
    return tuple(f"{name}/{key}" for name, motive in motives.items() for key in motive.heritage())


def heritage_problems(values: Mapping[str, Array], motives: Motives) -> tuple[str, ...]:
    """Why these arrays cannot be put into these objectives; empty if they can."""
    mine = carried(motives) if values else {}
    found = []
    for name, each in values.items():
        if name not in mine:
            found.append(f"values {name}: no objective has it")
        elif np.shape(each) != mine[name].shape:
            found.append(f"values {name}: {np.shape(each)}, not {mine[name].shape}")
        elif not np.isfinite(each).all():
            found.append(f"values {name}: not finite")
    return tuple(found)


def bequeath(values: Mapping[str, Array], motives: Motives) -> None:
    """Put these arrays, which fit, into the objectives; what is not named stays as it is."""
    for name in sorted({key.partition("/")[0] for key in values}):
        own = {k.removeprefix(f"{name}/"): v for k, v in values.items() if k.startswith(f"{name}/")}
        motive = motives[name]
        motive.inherit({**motive.heritage(), **{k: np.array(v) for k, v in own.items()}})


NOTHING_LEARNED = "this agent has learned nothing of anybody's values"
"""Why both edits refuse a mind without values: a genome cannot tell."""


def rms(array: Array) -> float:
    """Root mean square; 0 of an empty array."""
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64)))) if array.size else 0.0


def with_values(mind: Mind, change: Callable[[Array], Array]) -> Mind:
    """Change every float array of its value models; counts and flags stay, as copies.

    ``change`` gets float64. Raises ``RefusedEditError`` where there is no array at all.
    """
    if not mind.values:
        raise RefusedEditError(NOTHING_LEARNED)
    changed: Mapping[str, Array] = {
        name: _changed(each, change) for name, each in sorted(mind.values.items())
    }
    return replace(mind, values=changed)


def _changed(array: Array, change: Callable[[Array], Array]) -> Array:
    if not np.issubdtype(array.dtype, np.floating):
        return array.copy()
    return np.asarray(change(array.astype(np.float64)), array.dtype)
