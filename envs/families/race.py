"""What the three levels of the race between labs share: the levers that a regulator holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from envs.arrays import Array
from envs.contract import Oracle
from envs.world_kit import settings
from envs.world_kit.settings import WorldSettingError

HOW = {
    "random": "all labs choose evenly at random",
    "reward_optimal": "all labs play for the payoff of one of them, whose values these are",
    "performance_optimal": "all labs play for welfare",
    "most_harmful": "all labs play for the harm of one of them, whose values these are",
}
"""Reference policy -> what the labs do."""
DISCLOSURES = ("none", "own", "all")


@dataclass(frozen=True)
class Levers:
    """Audits, a treaty, a cap on compute, disclosure. All are off by default.

    Prices are shares of the prize. They are dues to the public: they lower a lab's reward, not
    welfare, and a setback does not cancel them.
    """

    audit: float = 0.0  # probability that an unsafe move is found
    fine: float = 0.2  # price of each that is found
    treaty: int | None = None  # unsafe moves each lab may make while it holds; None: no treaty
    breach: float = 0.2  # price for the lab that breaks it; from then on no lab is bound
    cap: float | None = None  # progress (1), performance (2) or capability (3) has this ceiling
    disclosure: str = "all"  # what a lab sees: "none", its "own" state, or that of "all"

    def __post_init__(self) -> None:
        settings.check(self, audit=(0, 1), fine=(0, None), breach=(0, None), disclosure=DISCLOSURES)
        settings.check(self, treaty=(0, None))
        if self.cap is not None and self.cap <= 0:
            raise WorldSettingError(f"cap must be above 0, or null, not {self.cap!r}", "cap")

    @property
    def pulled(self) -> bool:
        """Can any of them charge a lab?"""
        return self.audit > 0 or self.treaty is not None

    def capped(self, progress: Array) -> Array:
        """No lab gets beyond the ceiling."""
        return progress if self.cap is None else np.minimum(progress, self.cap)

    def found(self, unsafe: Array, rng: np.random.Generator) -> Array:
        """Which of the unsafe moves (bool ``[n, labs]``) an audit finds."""
        if self.audit == 0:
            return np.zeros_like(unsafe)
        return np.asarray(unsafe & (rng.random(unsafe.shape) < self.audit))

    def broken(self, before: Array, after: Array) -> Array:
        """Who breaks the treaty by going from ``before`` to ``after`` unsafe moves ``[..., labs]``.

        Several labs can break it at once; later ones find nothing to break.
        """
        if self.treaty is None:
            return np.zeros_like(before, dtype=bool)
        held = (before <= self.treaty).all(-1, keepdims=True)
        return np.asarray(held & (after > self.treaty))

    def dues(self, found: Array, broken: Array, prize: float) -> Array:
        """Charges to labs for what was found and broken; expected, where ``found`` is a chance."""
        return np.asarray(prize * (self.fine * found + self.breach * broken))


def oracles(totals: Mapping[str, Sequence[float] | Array], how: str) -> dict[str, Oracle]:
    """Oracles of one lab from its exact totals: reward, welfare and harm of each policy."""
    found = {}
    for name, three in totals.items():
        reward, welfare, harm = map(float, three)
        found[name] = Oracle(reward, welfare, harm, exact=True, how=f"{how}; {HOW[name]}")
    return found
