"""How often the rule errs where the truth is known, by simulation over distributions.

Differences are in units of their own standard deviation, + in the direction of the claim. *False
SUPPORTED*: at a true mean of 0. *False REFUTED*: at a true mean of exactly the smallest effect D.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from sandbox.analysis.effects import Effect
from sandbox.design import level
from sandbox.seeding import stream
from sandbox.verdicts.overruling import missing_check, with_missing
from sandbox.verdicts.rule import Flags, Levels, decided, rates
from sandbox.verdicts.verdict import judge

Floats = npt.NDArray[np.float64]
Shape = tuple[int, int]  # samples, seeds
Draw = Callable[[np.random.Generator, float, Shape], Floats]
"""Differences of a true mean given in standard deviations."""

ALPHA = 0.01


def _normal(rng: np.random.Generator, mean: float, shape: Shape) -> Floats:
    return mean + rng.normal(size=shape)


def _lognormal(rng: np.random.Generator, mean: float, shape: Shape) -> Floats:
    """The long tail lies on the harmful side."""
    harm = rng.lognormal(size=shape)
    return mean - (harm - math.exp(0.5)) / math.sqrt((math.e - 1) * math.e)


def _t3(rng: np.random.Generator, mean: float, shape: Shape) -> Floats:
    return mean + rng.standard_t(3, size=shape) / 3**0.5


def _uniform(rng: np.random.Generator, mean: float, shape: Shape) -> Floats:
    return mean + rng.uniform(-(3**0.5), 3**0.5, size=shape)


def _events(p: float) -> Draw:
    """Two independent arms of 0s and 1s, the first with this chance of 1."""

    def draw(rng: np.random.Generator, mean: float, shape: Shape) -> Floats:
        treated = float(brentq(lambda q: q - p - mean * _deviation(p, q), p, 1.0))
        ones = (rng.random(shape) < treated).astype(float) - (rng.random(shape) < p)
        return np.asarray(ones / _deviation(p, treated))

    return draw


def _deviation(p: float, q: float) -> float:
    return math.sqrt(p * (1 - p) + q * (1 - q))


def _rare(rng: np.random.Generator, mean: float, shape: Shape) -> Floats:
    """A third better in nine of ten seeds, three worse in the tenth: a mean of 0, deviation 1."""
    good = rng.random(shape) < 0.9  # noqa: PLR2004
    return mean + np.where(good, 1 / 3, -3.0) + rng.normal(0, 0.02, size=shape)


DISTRIBUTIONS: Mapping[str, Draw] = {
    "normal": _normal,
    "lognormal, harmful tail": _lognormal,
    "t, 3 degrees": _t3,
    "uniform": _uniform,
    "two 0/1 arms, p .5": _events(0.5),
    "two 0/1 arms, p .1": _events(0.1),
    "+.33 in 90 %, -3 in 10 %": _rare,
}
RARE_HARM = frozenset({"lognormal, harmful tail", "+.33 in 90 %, -3 in 10 %"})
"""Where few seeds seldom show the harm at all, so that no test of theirs can hold its level."""


class ErrorRates(NamedTuple):
    """Shares of samples with a false verdict."""

    supported: float
    refuted: float


def bound(repeats: int, alpha: float = ALPHA, errors: float = 2.0) -> float:
    """Alpha, and so many standard errors of a simulated share that is alpha in truth."""
    return float(alpha + errors * (alpha * (1 - alpha) / repeats) ** 0.5)


def error_rates(name: str, n: int, smallest: float, repeats: int) -> ErrorRates:
    """False verdicts on ``n`` seeds of this distribution; ``smallest`` in deviations."""
    draw, rng = DISTRIBUTIONS[name], stream(0, "error rates", name, n, str(smallest))
    shape = (repeats, n)
    return ErrorRates(
        rates(draw(rng, 0.0, shape), smallest, ALPHA)["supported"],
        rates(draw(rng, smallest, shape), smallest, ALPHA)["refuted"],
    )


def power(name: str, n: int, smallest: float, repeats: int) -> float:
    """How often a true effect of twice the smallest is supported."""
    rng = stream(0, "power", name, n, str(smallest))
    samples = DISTRIBUTIONS[name](rng, 2 * smallest, (repeats, n))
    return rates(samples, smallest, ALPHA)["supported"]


def interim_error_rates(
    name: str, looks: Sequence[int], smallest: float, repeats: int
) -> ErrorRates:
    """False verdicts over all interim analyses; what was decided at one stands."""
    rng, shape = stream(0, "interim analyses", name, str(smallest)), (repeats, looks[-1])
    draw = DISTRIBUTIONS[name]
    supported, _ = _at_looks(draw(rng, 0.0, shape), looks, smallest)
    _, refuted = _at_looks(draw(rng, smallest, shape), looks, smallest)
    return ErrorRates(float(supported.mean()), float(refuted.mean()))


def _at_looks(samples: Floats, looks: Sequence[int], smallest: float) -> tuple[Flags, Flags]:
    supported = np.zeros(len(samples), dtype=bool)
    refuted = supported.copy()
    for n in looks:
        for_it, against = decided(samples[:, :n], smallest, level(ALPHA, list(looks), n))
        still = ~supported & ~refuted
        supported, refuted = supported | (still & for_it), refuted | (still & against)
    return supported, refuted


# --- treated trials that fail exactly when they do harm -----------------------------------------


@dataclass(frozen=True)
class Failing:
    """Harm in [0, 1] that both arms draw alike; a treated trial that reaches ``fails_at`` fails."""

    name: str
    share: float  # of treated trials that fail
    fails_at: float
    harm: Callable[[np.random.Generator, Shape], Floats]


def _rare_catastrophes(share: float) -> Failing:
    def harm(rng: np.random.Generator, shape: Shape) -> Floats:
        usual = np.clip(rng.normal(0.1, 0.02, size=shape), 0, 1)
        return np.where(rng.random(shape) < share, rng.uniform(0.9, 1, size=shape), usual)

    return Failing("harm .1, seldom .9 to 1", share, 0.5, harm)


def _worst(share: float) -> Failing:
    return Failing("harm uniform", share, 1 - share, lambda rng, shape: rng.random(shape))


FAILING = tuple(
    kind(share) for kind in (_rare_catastrophes, _worst) for share in (0.02, 0.05, 0.1, 0.3)
)


class MissingRates(NamedTuple):
    """Shares of samples in which less harm is SUPPORTED though both arms do the same."""

    ignored: float  # from the pairs that are left, as if nothing were missing
    ruled: float  # by the rule


def missing_error_rates(kind: Failing, n: int, smallest: float, repeats: int) -> MissingRates:
    """Of a claim that the treated arm does less harm; ``smallest`` in units of harm."""
    rng = stream(0, "missing trials", kind.name, n, str(kind.share))
    base, treated = kind.harm(rng, (repeats, n)), kind.harm(rng, (repeats, n))
    lost = treated >= kind.fails_at
    ignored, ruled = 0, 0
    for missing in np.unique(lost.sum(axis=1)):
        if n - missing < 2:  # noqa: PLR2004  (nothing to test)
            continue
        rows = np.flatnonzero(lost.sum(axis=1) == missing)
        left = (base - treated)[rows][~lost[rows]].reshape(len(rows), n - missing)
        found = rows[decided(left, smallest, ALPHA)[0]]
        ignored += len(found)
        ruled += sum(_stands(base[i], treated[i], lost[i], smallest) for i in found)
    return MissingRates(ignored / repeats, ruled / repeats)


def _stands(base: Floats, treated: Floats, lost: Flags, smallest: float) -> bool:
    """Is it still supported by the rule on missing pairs?"""
    claim = {"direction": "lower", "smallest_effect": smallest}
    seen = _effect(base, treated, lost)
    if missing_check(seen).passed is False:
        return False
    verdict = judge(list((base - treated)[~lost]), smallest, ALPHA)
    return with_missing(verdict, claim, seen, Levels(ALPHA, ALPHA)).status == "supported"


def _effect(base: Floats, treated: Floats, lost: Flags) -> Effect:
    difference, gone = treated - base, np.flatnonzero(lost)
    return Effect(
        lever="treatment",
        metric="harm",
        env="all",
        unit="",
        base_dose=0,
        dose=1,
        base=float(base[~lost].mean()),
        treated=float(treated[~lost].mean()),
        estimate=float(difference[~lost].mean()),
        low=None,
        high=None,
        confidence=1 - 2 * ALPHA,
        p=None,
        n=int((~lost).sum()),
        differences={int(i): float(difference[i]) for i in np.flatnonzero(~lost)},
        missing={int(i): "failed" for i in gone},
        bounds={int(i): (0.0 - float(base[i]), 1.0 - float(base[i])) for i in gone},
    )
