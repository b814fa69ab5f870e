"""Selection separated from drift: fixation in the Moran process, and Price's equation."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Price(NamedTuple):
    """Change of a trait's mean in one generation, split; ``change = selected + rewritten``."""

    change: float
    selected: float  # Cov(w, z) / mean w: parents of which trait had more offspring
    rewritten: float  # E[w dz] / mean w: change from parent to offspring


def moran_fixation(size: int, fitness: float = 1.0) -> float:
    """Probability that one mutant takes over ``size - 1`` others of fitness 1.

    ``(1 - 1/r) / (1 - r**-N)``, and ``1/N`` where ``r = 1`` (Moran 1958).
    """
    if size < 1 or not 0 < fitness < math.inf:
        raise ValueError(f"size is at least 1 and fitness above 0, not {size} and {fitness}")
    log = math.log(fitness)
    if log == 0:
        return 1 / size
    if log < 0:  # the same fraction, times r**N / r**N: r**-N overflows where r is small
        return math.exp((size - 1) * log) * math.expm1(log) / math.expm1(size * log)
    return math.expm1(-log) / math.expm1(-size * log)


def price(trait: Array, offspring: Array, after: Array) -> Price:
    """Price 1970: ``trait`` and number of ``offspring`` of each parent, ``after`` of theirs.

    ``after`` is the mean trait of a parent's offspring; without offspring it is not read.
    """
    weights = np.asarray(offspring, np.float64)
    if len(weights) == 0 or weights.min() < 0 or weights.sum() <= 0:
        raise ValueError("numbers of offspring are at least 0, and not all 0")
    trait = np.asarray(trait, np.float64)
    shift = np.where(weights > 0, np.asarray(after, np.float64) - trait, 0.0)
    share = weights / weights.mean()
    selected = float(np.mean((share - 1.0) * (trait - trait.mean())))
    rewritten = float(np.mean(share * shift))
    mean_after = float(np.mean(share * np.where(weights > 0, trait + shift, 0.0)))
    return Price(mean_after - float(trait.mean()), selected, rewritten)
