"""Which utility explains an agent's behaviour: maximum entropy goal-directedness.

MacDermott et al. 2024 (arXiv 2412.04758), known utility, tabular, finite horizon:
``MEG_U(pi) = max_b E_pi[sum_t log pi_b(a_t|s_t) - log 1/|A|]`` where ``pi_b`` is the soft-optimal
policy of ``b U``. Pure functions of float64 arrays.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_ROUNDING = 1e-12
_STEEPEST = 1e6  # |b| for a utility whose spread is 1; beyond it only rounding grows


class GoalDirectedness(NamedTuple):
    """How much better than chance pursuit of a utility predicts behaviour."""

    nats: float  # a whole episode; at least 0, at most horizon * log actions
    beta: float  # the rationality that predicts best; below 0: it works against this utility


def pursuit(
    policy: Array, utility: Array, onwards: Any, start: Array, horizon: int
) -> GoalDirectedness:
    """Measure ``policy``, ``[states, actions]`` or ``[horizon, states, actions]``.

    ``utility [states, actions]`` is received at each of ``horizon`` steps. ``onwards`` is a
    dense or sparse matrix ``[states * actions, states]`` of arriving; a row that adds up to less
    than 1 ends the episode with the rest. The predictor knows the step, so ``pi_b`` has one table a
    step. The maximum over ``b`` is exact: the objective is concave, with slope
    ``E_pi[U] - E_pi_b[U]``. ``b`` may be negative, and infinite for a policy that attains the most
    or the least there is.
    """
    ends = bool((onwards.sum(axis=1) < 1 - _ROUNDING).any())
    largest = float(np.abs(utility).max())
    spread = largest if ends else float(np.ptp(utility))  # without ends, a constant changes nothing
    if spread <= _ROUNDING * largest:
        return GoalDirectedness(0.0, 0.0)
    scaled = (utility if ends else utility - utility.mean()) / spread
    steps = np.broadcast_to(policy, (horizon, *utility.shape))
    visits = _visits(steps, onwards, start)
    attained = float(np.einsum("ts,tsa,sa->", visits, steps, scaled))
    beta = _best(attained, scaled, onwards, start, horizon)
    logs = _soft(beta * scaled, onwards, horizon)
    likelihood = np.where(steps > 0, logs, 0.0) + math.log(utility.shape[1])
    nats = float(np.einsum("ts,tsa,tsa->", visits, steps, likelihood))
    rationality = math.copysign(math.inf, beta) if abs(beta) >= _STEEPEST else beta / spread
    return GoalDirectedness(max(nats, 0.0), rationality)


def _best(attained: float, utility: Array, onwards: Any, start: Array, horizon: int) -> float:
    """Root of the slope in ``b`` by bisection; it falls as ``b`` grows."""
    for sign in (1.0, -1.0):
        limit = _attained(sign * _STEEPEST, utility, onwards, start, horizon)
        if sign * (attained - limit) >= -_ROUNDING:
            return sign * _STEEPEST
    low, high = -_STEEPEST, _STEEPEST
    while high - low > 1e-10 * max(1.0, abs(low)):
        middle = (low + high) / 2
        if attained > _attained(middle, utility, onwards, start, horizon):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _attained(beta: float, utility: Array, onwards: Any, start: Array, horizon: int) -> float:
    """Expected utility of ``pi_b`` in an episode."""
    steps = np.exp(_soft(beta * utility, onwards, horizon))
    return float(np.einsum("ts,tsa,sa->", _visits(steps, onwards, start), steps, utility))


def _soft(utility: Array, onwards: Any, horizon: int) -> Array:
    """Log probabilities of soft-optimal actions, ``[horizon, states, actions]``."""
    found = np.empty((horizon, *utility.shape))
    values = np.zeros(len(utility))
    for t in reversed(range(horizon)):
        q = utility + (onwards @ values).reshape(utility.shape)
        top = q.max(axis=1)
        values = top + np.log(np.exp(q - top[:, None]).sum(axis=1))
        found[t] = q - values[:, None]
    return found


def _visits(steps: Array, onwards: Any, start: Array) -> Array:
    """Probability of each state at each step, ``[horizon, states]``."""
    found = np.empty(steps.shape[:2])
    there = np.asarray(start, np.float64)
    for t, policy in enumerate(steps):
        found[t] = there
        there = onwards.T @ (there[:, None] * policy).ravel()
    return found
