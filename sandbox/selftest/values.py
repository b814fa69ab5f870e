"""Distances between rewards, soft planning, preferences, assistance games and the off-switch."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

import envs
from agents.value_learning.bradley_terry import cross_entropy, preference
from agents.value_learning.soft_planning import occupancies, soft_values
from sandbox.measuring.reward_distances import epic, epic_canonical
from sandbox.selftest.assistance import Helper, red_blue, two_phase, wormy_apples
from sandbox.selftest.check import KnownNumber, known
from sandbox.selftest.off_switch import off_switch_incentive
from sandbox.selftest.pomdp import at_least, four_three, wandered

Array = npt.NDArray[np.float64]
_GLEAVE = "Gleave et al. 2021, gridworlds of section 5"
_IMITATION = "imitation, run on its own ReasonablePOMDP"
_SHAH = "exact value iteration over beliefs"
_PLANS = "a plan that exists; range of a published solver"
_DISCOUNT = 0.99
_GOAL = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1.0])
_CENTRE = np.array([0, 0, 0, 0, 1.0, 0, 0, 0, 0])
_DIRT = np.array([0, -1, -1, 0, 0, 0, -1, -1, 4.0])
_CLIFF = np.array([0, -1, -1, 0, 0, 0, -4, -4, 4.0])
_AWAY = np.array([4, 3, 2, 3, 2, 1, 2, 1, 0.0])  # steps from the goal


def checks() -> Iterator[KnownNumber]:
    """V1 to V8 of the known numbers."""
    yield from _epic()
    yield from _planning()
    yield from _preferences()
    yield from _assistance()
    yield from _off_switch()


def _epic() -> Iterator[KnownNumber]:
    for name, other in (
        ("shifted", _grid(_GOAL + 1)),
        ("scaled", _grid(10 * _GOAL)),
        ("dense", _grid(_GOAL, -_AWAY)),
        ("antidense", _grid(_GOAL, _AWAY)),
        ("4x - 1, shaped", _grid(4 * _GOAL - 1, -3 * _AWAY)),
    ):
        yield known(
            "V1",
            f"EPIC, sparse goal and the same {name}",
            0,
            1e-7,
            lambda other=other: _distance(_grid(_GOAL), other),  # type: ignore[misc]
            _GLEAVE,
        )
    for name, one, two, distance in (
        ("sparse goal and centre goal", _GOAL, _CENTRE, 0.75),
        ("sparse goal and dirt path", _GOAL, _DIRT, 0.1601822430),
        ("sparse goal and cliff walk", _GOAL, _CLIFF, 0.3675592135),
        ("sparse goal and its opposite", _GOAL, -_GOAL, 1.0),
        ("dirt path and cliff walk", _DIRT, _CLIFF, 0.2672128221),
    ):
        yield known(
            "V1",
            f"EPIC, {name}",
            distance,
            5e-11,
            lambda one=one, two=two: _distance(_grid(one), _grid(two)),  # type: ignore[misc]
            _GLEAVE,
        )
    yield known(
        "V2",
        "EPIC, canonical form of a canonical form, change",
        0,
        1e-12,
        _twice,
        "an identity",
    )


def _planning() -> Iterator[KnownNumber]:
    first = [53.298300, 54.836443, 54.836443, 33.649463, 54.744662]
    visits = [6.998829, 3.397594, 3.397594, 0.405233, 6.800749]
    later = [22.943354, 24.039469, 24.039469, 2.818985, 24.430549]
    yield known("V3", "soft values at the start, no discount", first, 1e-6, _soft, _IMITATION)
    yield known("V3", "visits of each state, no discount", visits, 1e-6, _visits, _IMITATION)
    yield known(
        "V3", "soft values at the start, discount .9", later, 1e-6, lambda: _soft(0.9), _IMITATION
    )
    yield known(
        "V3",
        "visits in all, discount .9",
        8.905810,
        5e-7,
        lambda: float(np.sum(_visits(0.9))),
        "(1 - g^21) / (1 - g)",
    )


def _preferences() -> Iterator[KnownNumber]:
    for gap, noise, chance in (
        (0.0, 0.0, 0.5),
        (1.0, 0.0, 0.731058579),
        (1.0, 0.1, 0.707952721),
    ):
        yield known(
            "V4",
            f"Bradley and Terry, returns {gap:g} apart, noise {noise:g}",
            chance,
            1e-9,
            lambda gap=gap, noise=noise: float(preference(np.array(gap), noise)),  # type: ignore[misc]
            "closed form",
        )
    yield known(
        "V4",
        "cross-entropy at the truth less the entropy of the answers",
        0,
        1e-12,
        _surplus,
        "an identity",
    )


def _assistance() -> Iterator[KnownNumber]:
    for discount, best, learning_first in ((0.99, 1.9523196, 1.8562796), (0.9, 1.7136, 1.5840)):
        yield known(
            "V5",
            f"WormyApples, discount {discount:g}: optimal, and learning first",
            (best, learning_first),
            1e-9,
            lambda discount=discount: _apples(discount),  # type: ignore[misc]
            _SHAH,
        )
    yield known("V6", "RedBlue, optimal", 2.0, 1e-12, lambda: Helper(red_blue()).value(), _SHAH)
    yield known("V6", "4 x 3 maze, unseen, 20 steps: 1.7 to 2.1", 1.9, 0.2, _maze, _PLANS)


def _maze() -> float:
    problem = four_three()
    met = wandered(problem, 20, 20, np.random.default_rng(0))
    return at_least(problem, 20, met)


def _off_switch() -> Iterator[KnownNumber]:
    for (mean, deviation), worth in (
        ((0, 1), 0.398942),
        ((0.5, 1), 0.197797),
        ((-0.5, 1), 0.197797),
        ((1, 1), 0.083315),
        ((1, 0.5), 0.004245),
    ):
        yield known(
            "V7",
            f"off-switch, U ~ N({mean:g}, {deviation:g}), rational human: formula, world",
            (worth, worth),
            1e-6,
            lambda mean=mean, deviation=deviation: _deferring(mean, deviation),  # type: ignore[misc]
            "m P(m/s) + s p(m/s) - max(m, 0)",
        )
    for mean, noise, worth in (
        (0, 0.1, 0.392596),
        (0, 1, 0.206621),
        (0.75, 0.1, 0.126288),
        (0.75, 1, -0.072082),
        (0.75, 3, -0.249602),
        (1.5, 1, -0.183940),
    ):
        yield known(
            "V8",
            f"off-switch, mean {mean:g}, human's noise {noise:g}: formula, world",
            (worth, worth),
            1e-6,
            lambda mean=mean, noise=noise: _deferring(mean, 1, noise),  # type: ignore[misc]
            "quadrature",
        )


# --- what is computed --------------------------------------------------------------------------


def _grid(cells: Array, potential: Array | None = None) -> Array:
    reward = np.broadcast_to(cells.reshape(9, 1, 1), (9, 5, 9))
    if potential is None:
        return reward
    return reward + _DISCOUNT * potential[None, None, :] - potential[:, None, None]


def _distance(one: Array, other: Array) -> float:
    found = epic(one, other, _DISCOUNT).value
    return float("nan") if found is None else found


def _twice() -> float:
    once = epic_canonical(np.random.default_rng(0).standard_normal((6, 3, 6)), _DISCOUNT)
    return float(np.abs(epic_canonical(once, _DISCOUNT) - once).max())


def _reasonable() -> tuple[Array, Array, Array]:
    table = np.zeros((5, 3, 5))
    table[0] = np.array([[0, 0.9, 0.1, 0, 0], [0, 0, 0, 1, 0], [0, 0.1, 0.9, 0, 0]])
    table[1] = table[2] = np.array([[0, 0, 0, 0.05, 0.95], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]])
    table[3, :, 4] = table[4, :, 0] = 1
    return table, np.array([0.5, 0, 0, 0, 0.5]), np.array([1, 2, 2, -20, 3.0])


def _soft(discount: float = 1.0) -> Array:
    table, _, reward = _reasonable()
    return np.asarray(soft_values(table, reward, 20, discount).values[0])


def _visits(discount: float = 1.0) -> Array:
    table, start, reward = _reasonable()
    soft = soft_values(table, reward, 20, discount)
    return np.asarray(occupancies(table, start, soft.policy, discount).sum(axis=0))


def _surplus() -> float:
    gap = np.linspace(-3, 3, 7)
    chance = preference(gap, 0.1)
    entropy = -chance * np.log(chance) - (1 - chance) * np.log(1 - chance)
    return float(np.abs(cross_entropy(gap, chance, 0.1)[0] - entropy).max())


def _apples(discount: float) -> list[float]:
    game = wormy_apples(discount)
    return [Helper(game).value(), Helper(two_phase(game, 0, 0)).value()]


def _deferring(mean: float, deviation: float, noise: float = 0.0) -> list[float]:
    world = envs.make_world("off_switch", mu=mean, sigma=deviation, beta=noise)
    formula = off_switch_incentive(mean, deviation, noise)
    return [formula, world.deference_value()]  # type: ignore[attr-defined]
