"""Rewards of objectives where they are known exactly: counts, ellipsoids, a constant state."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from agents.contract import Batch, Objective
from agents.models.ellipsoids import Ellipsoids
from agents.objectives.count import Count
from agents.objectives.e3b import E3b
from agents.objectives.smirl import Smirl
from agents.values.behaviour_cloning import BehaviourCloning
from agents.values_contract import Evidence
from sandbox.selftest.check import KnownNumber, known

Array = npt.NDArray[np.float64]


def checks() -> Iterator[KnownNumber]:
    """Counts, E3B, SMiRL and a clone of a deterministic policy."""
    yield known(
        "I14",
        "count: 1st to 5th visit",
        1 / np.sqrt(np.arange(1, 6)),
        1e-12,
        lambda: _walked(Count(), [[1, 0]] * 6),
        "1 / sqrt(n)",
    )
    for ridge in (0.1, 1.0):
        yield known(
            "I15",
            f"E3B, ridge {ridge:g}: 1st to 5th visit of the same unit",
            1 / (ridge + np.arange(5)),
            1e-9,
            lambda ridge=ridge: _ellipsoids(ridge),  # type: ignore[misc]
            "1 / (lambda + k - 1)",
        )
    yield known(
        "I15", "E3B: batched over inverting, 300 steps of 8, less 1", 0, 1e-4, _inverted, "identity"
    )
    stays = np.arange(1, 6)
    yield known(
        "I18",
        "SMiRL, two certain bits: 1st to 5th step, nats",
        2 * np.log((stays + 1) / (stays + 2)),
        1e-12,
        lambda: _walked(Smirl(model="bernoulli"), [[1, 0]] * 6),
        "2 log((t + 1) / (t + 2)), to 0",
    )
    yield known(
        "V9",
        "behaviour cloning of a table, 24 states: share of actions that match",
        1,
        0,
        _cloned,
        "full coverage, one action a state",
    )


def _walked(objective: Objective, places: Sequence[Sequence[float]]) -> Array:
    """The reward of each step of one environment's walk through these observations."""
    live_objective = objective.start(len(places[0]), 2, np.random.default_rng(0))
    rows, no = np.asarray(places, np.float32), np.zeros(1, bool)
    none = np.zeros(1, np.int64)
    rewards = [
        live_objective.reward(Batch(rows[[t]], none, rows[[t + 1]], np.zeros(1), no, no))[0]
        for t in range(len(rows) - 1)
    ]
    return np.array(rewards)


def _ellipsoids(ridge: float) -> Array:
    found = Ellipsoids(3, E3b(ridge=ridge).ridge)
    unit = np.array([[0.0, 1.0, 0.0]])
    return np.array([found.meet(unit, np.ones(1, bool))[0] for _ in range(5)])


def _inverted(n: int = 8, latent: int = 16) -> float:
    rng, off = np.random.default_rng(5), 0.0
    batched, sums = Ellipsoids(latent, 0.1), np.tile(np.eye(latent) * 0.1, (n, 1, 1))
    for _ in range(300):
        phi = rng.standard_normal((n, latent))
        reward = batched.meet(phi, np.ones(n, bool))
        exact = np.einsum("ni,nij,nj->n", phi, np.linalg.inv(sums), phi)
        off = max(off, float(np.abs(reward / exact - 1).max()))
        sums += np.einsum("ni,nj->nij", phi, phi)
    return off


def _cloned(states: int = 24, actions: int = 4) -> float:
    rng = np.random.default_rng(0)
    seen, acts = np.eye(states, dtype=np.float32), rng.integers(actions, size=states)
    no = np.zeros((states, 1), bool)
    batch = Batch(seen[:, None], acts[:, None], seen[:, None], np.zeros((states, 1)), no, no, ~no)
    clone = BehaviourCloning(learning_rate=0.01, epochs=200).start(states, actions, rng)
    clone.learn(Evidence(batch))
    guess = clone.predict(seen, np.zeros(states, np.int64))
    return 0.0 if guess is None else float((guess.argmax(1) == acts).mean())
