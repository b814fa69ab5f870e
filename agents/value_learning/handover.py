"""When the mixing weight moves from an agent's other objectives to a learned value."""

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from agents.arrays import Array

Handover = Literal["none", "never", "always", "scheduled", "abrupt", "fidelity", "entropy"]
"""How alpha of ``r = (1 - alpha) * others + alpha * learned`` comes about.

``none``: no alpha, only the weights of objectives (so that edits can change them); ``never``: 0;
``always``: 1; ``scheduled``: rises linearly; ``abrupt``: 0, then 1; ``fidelity`` and ``entropy``:
0, then 1 for good once the model is accurate enough, or its doubt small enough.
"""

_LEAST = 4  # pairs that Fisher's interval needs


class Fidelity(NamedTuple):
    """``1 - sqrt((1 - rho) / 2)``, from 0 (the opposite) to 1; unrelated is 0.293."""

    estimate: float
    lower: float  # confidence bound, one-sided


UNKNOWN = Fidelity(math.nan, math.nan)


def fidelity(predicted: Array, shown: Array, z: float) -> Fidelity:
    """Accuracy of predicted approvals: 1 less the Pearson distance (Gleave et al. 2021, def. 4.3).

    The lower bound is Fisher's: ``tanh(atanh(rho) - z / sqrt(n - 3))``. It treats the ``n``
    steps as independent, which steps of one run are not: ``z`` sets a degree of caution, not a
    confidence level. ``UNKNOWN`` where there are fewer than 4 steps, or one side does not vary.
    """
    if len(shown) < _LEAST or not np.ptp(predicted) or not np.ptp(shown):
        return UNKNOWN
    one, other = predicted - predicted.mean(), shown - shown.mean()
    length = math.sqrt(float(one @ one)) * math.sqrt(float(other @ other))
    if not length:
        return UNKNOWN
    rho = min(max(float(one @ other) / length, -1.0), 1.0)
    certain = abs(rho) == 1.0
    lower = rho if certain else math.tanh(math.atanh(rho) - z / math.sqrt(len(shown) - 3))
    return Fidelity(_near(rho), _near(lower))


def alpha(handover: Handover, updates: int, span: tuple[int, int], *, proved: bool) -> float | None:
    """The learned value's mixing weight in the rollout after ``updates`` updates.

    ``scheduled`` is 0 until ``span[0]`` and 1 from ``span[1]`` on; ``abrupt`` jumps half-way
    between the two, so that the mean of alpha over a run is about the same in both.
    """
    first, last = span
    risen = min(max((updates - first) / (last - first), 0.0), 1.0)
    known: Mapping[Handover, float | None] = {
        "none": None,
        "never": 0.0,
        "always": 1.0,
        "scheduled": risen,
        "abrupt": float(2 * updates >= first + last),
    }
    return known[handover] if handover in known else float(proved)


def _near(rho: float) -> float:
    return 1 - math.sqrt((1 - rho) / 2)
