"""POWER where it has a closed form: a choice among states that are never left."""

from collections.abc import Iterator

import numpy as np

from envs.planning.exact import Model
from sandbox.measuring.power import power
from sandbox.selftest.check import KnownNumber, known


def checks() -> Iterator[KnownNumber]:
    """The best of k uniform draws, whatever the discount."""
    for k in (1, 2, 5):
        yield known(
            "I19",
            f"POWER of a choice among {k} fates, discount .5 and .9",
            (k / (k + 1), k / (k + 1)),
            0.01,
            lambda k=k: [_power(k, discount) for discount in (0.5, 0.9)],  # type: ignore[misc]
            "k / (k + 1), Turner et al. 2021; 20,000 draws",
        )


def _power(k: int, discount: float) -> float:
    """Of state 0, which leads to any of ``k`` states that are never left."""
    leads = np.array([[[i] for i in range(1, k + 1)], *[[[i]] * k for i in range(1, k + 1)]])
    model = Model(None, np.arange(k + 1), leads, np.ones(leads.shape), np.zeros((k + 1, k, 3)))
    return float(power(model, discount, 20_000, np.random.default_rng(k)).mean[0])
