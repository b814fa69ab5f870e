"""How a rewrite may garble what an agent has learned of somebody else's values."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from agents.agent_state import Mind, RefusedEditError
from agents.arrays import Array

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
