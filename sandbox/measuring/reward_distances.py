"""How far apart two reward tables are: EPIC, STARC, and the regret of acting on the wrong one.

Pure functions of float64 arrays: a reward is ``[states, actions, states]`` (from, action, to), a
transition table has the same shape and gives probabilities of arriving, a policy is ``[states,
actions]``. A reward for leaving a state is ``np.broadcast_to(r[:, None, None], shape)``.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ROUNDING = 1e-12  # spread below this share of the largest reward is rounding, not a preference


class Distance(NamedTuple):
    """A distance, and whether either reward is constant up to shaping.

    ``value`` is ``None`` where it is not defined. ``constant`` says of the first and the second
    reward whether it is only shaping and a constant.
    """

    value: float | None
    constant: tuple[bool, bool]


class Regret(NamedTuple):
    """Return lost against the optimum, and as a share of what chance loses (``None``: nothing)."""

    lost: float
    share: float | None


# --- EPIC --------------------------------------------------------------------------------------


def epic_canonical(
    reward: Array, discount: float, states: Array | None = None, actions: Array | None = None
) -> Array:
    """Remove all potential shaping and constants (Gleave et al. 2021, definition 4.1).

    ``C(R)(s,a,s') = R(s,a,s') + E[g R(s',A,S') - R(s,A,S') - g R(S,A,S')]`` with ``S, S'`` from
    ``states`` and ``A`` from ``actions``, all independent and uniform unless given. No dynamics.
    """
    table = _table(reward)
    states, actions = _share(states, table.shape[0]), _share(actions, table.shape[1])
    onwards: Array = np.einsum("sat,a,t->s", table, actions, states)  # E[R(s,A,S')]
    shift = discount * onwards[None, None, :] - onwards[:, None, None]
    found: Array = table + shift - discount * float(states @ onwards)
    return found


def epic(
    first: Array,
    second: Array,
    discount: float,
    *,
    states: Array | None = None,
    actions: Array | None = None,
    coverage: Array | None = None,
) -> Distance:
    """``sqrt((1 - rho) / 2)``, rho the Pearson correlation of canonical rewards; in [0, 1].

    ``coverage``, ``[states, actions, states]``, weighs the transitions that are compared; by
    default they are independent draws of ``states``, ``actions`` and ``states``. With a constant
    reward rho is 0/0: the value is ``None``, never 0.
    """
    tables = (_table(first), _table(second))
    if coverage is None:
        there, acts = _share(states, len(tables[0])), _share(actions, tables[0].shape[1])
        coverage = there[:, None, None] * acts[None, :, None] * there[None, None, :]
    weights = _share(coverage.reshape(-1), tables[0].size)
    rows, constant = [], []
    for table in tables:
        canonical = epic_canonical(table, discount, states, actions).reshape(-1)
        centred = canonical - weights @ canonical
        length = float(np.sqrt(weights @ np.square(centred)))
        constant.append(length <= ROUNDING * float(np.abs(table).max()))
        rows.append(centred if constant[-1] else centred / length)
    flags = (constant[0], constant[1])
    if any(flags):
        return Distance(None, flags)
    # Half the distance of standardised rewards is the same number, without the cancellation in
    # 1 - rho that leaves 1e-8 where the answer is 0.
    return Distance(float(np.sqrt(weights @ np.square(rows[0] - rows[1]))) / 2, flags)


def epic_by_action(first: Array, second: Array, discount: float) -> Distance:
    """``epic`` of rewards ``[states, actions]`` that do not look where a step leads.

    Their canonical form falls into two parts that are uncorrelated under independent draws, one of
    (s, a) and one of s', so no ``[states, actions, states]`` is ever made.
    """
    rows, constant = [], []
    for table in (np.asarray(first, np.float64), np.asarray(second, np.float64)):
        state = table.mean(axis=1)
        here = (table - state[:, None]) / np.sqrt(table.size)
        there = discount * (state - state.mean()) / np.sqrt(len(state))
        row = np.concatenate([here.ravel(), there])
        length = float(np.linalg.norm(row))
        constant.append(length <= ROUNDING * float(np.abs(table).max()))
        rows.append(row if constant[-1] else row / length)
    flags = (constant[0], constant[1])
    if any(flags):
        return Distance(None, flags)
    return Distance(float(np.linalg.norm(rows[0] - rows[1])) / 2, flags)


# --- STARC -------------------------------------------------------------------------------------


def value_adjusted(
    reward: Array, transition: Array, discount: float, policy: Array | None = None
) -> Array:
    """Canonical form ``E[R(s,a,S') - V(s) + g V(S')]``, ``[states, actions]``.

    ``S'`` follows ``transition``; ``V`` is the value of ``policy``, uniform by default (Skalse et
    al. 2024, "VAL"): an advantage, so shaping, and rewards of transitions that cannot happen,
    are gone.
    """
    if not 0 <= discount < 1:
        raise ValueError(f"discount is at least 0 and below 1, not {discount}")
    rewards = expected(reward, transition)
    policy = _uniform(rewards) if policy is None else policy
    values = policy_values(rewards, transition, discount, policy)
    found: Array = rewards - values[:, None] + discount * transition @ values
    return found


def starc_scale(rewards: Array, discount: float) -> float:
    """Length up to which a canonical reward is rounding; ``rewards`` is ``[states, actions]``."""
    return ROUNDING * float(np.abs(rewards).max()) / (1 - discount) * rewards.size


def starc(
    first: Array, second: Array, transition: Array, discount: float, policy: Array | None = None
) -> Distance:
    """L2 distance of canonical rewards scaled to L2 norm 1; in [0, 2], 2 for opposite rewards.

    A constant reward stays at 0, as in the paper: it is at 1 from every other and at 0 from
    another constant one; the flags say so.
    """
    rows, constant = [], []
    for reward in (first, second):
        canonical = value_adjusted(reward, transition, discount, policy)
        length = float(np.linalg.norm(canonical))
        constant.append(length <= starc_scale(expected(reward, transition), discount))
        rows.append(np.zeros_like(canonical) if constant[-1] else canonical / length)
    return Distance(float(np.linalg.norm(rows[0] - rows[1])), (constant[0], constant[1]))


# --- regret ------------------------------------------------------------------------------------


def regret(
    believed: Array, true: Array, transition: Array, start: Array, discount: float
) -> Regret:
    """What a planner that believes ``believed`` loses of ``true``; ties are broken evenly."""
    chosen = optimal_policy(expected(believed, transition), transition, discount)
    return regret_of(chosen, true, transition, start, discount)


def regret_of(
    policy: Array, true: Array, transition: Array, start: Array, discount: float
) -> Regret:
    """``V* - V^policy`` from ``start``, and that over ``V* - V^random``. Exact, no rollouts."""
    rewards = expected(true, transition)
    best = optimal_policy(rewards, transition, discount)
    worth = [
        float(start @ policy_values(rewards, transition, discount, each))
        for each in (best, policy, _uniform(rewards))
    ]
    lost, chance = worth[0] - worth[1], worth[0] - worth[2]
    scale = float(np.abs(rewards).max()) / (1 - discount)
    return Regret(lost, lost / chance if chance > ROUNDING * scale else None)


# --- tabular planning --------------------------------------------------------------------------


def expected(reward: Array, transition: Array) -> Array:
    """``E[R(s,a,S')]``, ``[states, actions]``."""
    found: Array = np.einsum("sat,sat->sa", transition, _table(reward))
    return found


def policy_values(rewards: Array, transition: Array, discount: float, policy: Array) -> Array:
    """Discounted value of a policy in every state, by solving the linear system."""
    onwards = np.einsum("sa,sat->st", policy, transition)
    system = np.eye(len(rewards)) - discount * onwards
    found: Array = np.linalg.solve(system, np.einsum("sa,sa->s", policy, rewards))
    return found


def optimal_policy(rewards: Array, transition: Array, discount: float) -> Array:
    """Policy iteration; every optimal action of a state is taken equally often."""
    if not 0 <= discount < 1:
        raise ValueError(f"discount is at least 0 and below 1, not {discount}")
    policy = _uniform(rewards)
    scale = max(float(np.abs(rewards).max()) / (1 - discount), np.finfo(float).tiny)
    while True:
        values = policy_values(rewards, transition, discount, policy)
        q = rewards + discount * transition @ values
        best = q >= q.max(axis=1, keepdims=True) - 1e-10 * scale
        found: Array = best / best.sum(axis=1, keepdims=True)
        if np.all(policy[~best] == 0):  # every action taken is optimal: the policy is greedy
            return found
        policy = found


def _table(reward: Array) -> Array:
    found = np.asarray(reward, np.float64)
    if found.ndim != 3 or found.shape[0] != found.shape[2]:  # noqa: PLR2004
        raise ValueError(f"a reward is [states, actions, states], not {list(found.shape)}")
    if not np.isfinite(found).all():
        raise ValueError("a reward is finite everywhere")
    return found


def _share(weights: Array | None, size: int) -> Array:
    """Weights that add up to 1; uniform if not given."""
    found: Array = np.ones(size) if weights is None else np.asarray(weights, np.float64)
    if found.shape != (size,) or found.min() < 0 or found.sum() <= 0:
        raise ValueError(f"weights are {size} numbers, none negative, not all 0")
    share: Array = found / found.sum()
    return share


def _uniform(rewards: Array) -> Array:
    return np.full(rewards.shape, 1 / rewards.shape[1])
