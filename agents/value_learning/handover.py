"""When the say passes from an agent's other objectives to a learned value, and on what grounds."""

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from agents.arrays import Array

Handover = Literal["none", "never", "always", "scheduled", "abrupt", "fidelity", "entropy"]
"""How alpha of ``r = (1 - alpha) * others + alpha * learned`` comes about.

``none``: no alpha, weights are all there is (so that edits of weights can do it); ``never``: 0;
``always``: 1; ``scheduled``: rises in a line; ``abrupt``: 0, then 1; ``fidelity`` and ``entropy``:
0, then 1 for good once the model has proved itself, or is in little doubt.
"""

_LEAST = 4  # pairs that Fisher's interval needs


class Fidelity(NamedTuple):
    """``1 - sqrt((1 - rho) / 2)``, from 0 (the opposite) to 1; unrelated is 0.293."""

    estimate: float
    lower: float  # confidence bound, one-sided


UNKNOWN = Fidelity(math.nan, math.nan)


def fidelity(foretold: Array, shown: Array, z: float) -> Fidelity:
    """How well approvals were foretold: 1 less the Pearson distance (Gleave et al. 2021, def. 4.3).

    The lower bound is Fisher's: ``tanh(atanh(rho) - z / sqrt(n - 3))``. It takes the ``n`` steps
    for independent, which steps of one life are not: read ``z`` as a dial of caution rather than
    as a level. ``UNKNOWN`` where there are fewer than 4 steps, or one side does not vary.
    """
    if len(shown) < _LEAST or not np.ptp(foretold) or not np.ptp(shown):
        return UNKNOWN
    one, other = foretold - foretold.mean(), shown - shown.mean()
    length = math.sqrt(float(one @ one)) * math.sqrt(float(other @ other))
    if not length:
        return UNKNOWN
    rho = min(max(float(one @ other) / length, -1.0), 1.0)
    certain = abs(rho) == 1.0
    lower = rho if certain else math.tanh(math.atanh(rho) - z / math.sqrt(len(shown) - 3))
    return Fidelity(_near(rho), _near(lower))


def alpha(handover: Handover, updates: int, span: tuple[int, int], *, proved: bool) -> float | None:
    """The learned value's share of the say in the rollout after ``updates`` updates.

    ``scheduled`` is 0 until ``span[0]`` and 1 from ``span[1]`` on; ``abrupt`` jumps half-way
    between the two, so that both give away about as much of a life.
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
