"""Selection separated from drift: fixation and Price's equation."""

from collections.abc import Iterator

import numpy as np

from sandbox.analysis.selection import moran_fixation, price
from sandbox.selftest.check import KnownNumber, known


def checks() -> Iterator[KnownNumber]:
    """S1 and S2 of the known numbers."""
    for size, fitness, chance in (
        (10, 1.0, 0.1),
        (10, 1.1, 0.147950),
        (50, 1.05, 0.052168),
    ):
        yield known(
            "S1",
            f"Moran process, N={size}, fitness {fitness:g}: fixation",
            chance,
            5e-7,
            lambda size=size, fitness=fitness: moran_fixation(size, fitness),  # type: ignore[misc]
            "(1 - 1/r) / (1 - r^-N)",
        )
    yield known(
        "S2",
        "Price's equation: change less its two parts",
        0,
        1e-12,
        _price,
        "an identity",
    )


def _price() -> float:
    rng = np.random.default_rng(0)
    found = price(rng.standard_normal(50), rng.integers(0, 5, 50), rng.standard_normal(50))
    return found.change - found.selected - found.rewritten
