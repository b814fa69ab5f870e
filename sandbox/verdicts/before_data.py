"""What each claim of a scenario can show with its seeds, worked out before there are any data.

The level is that of the worst case: no other claim is decided before this one (Holm). A pilot,
another run with the same lever and metric, gives the spread; without one, a few are assumed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.analysis.pilot import BOUND, Pilot, doses_of
from sandbox.design import level, looks_of
from sandbox.verdicts.judged import in_words
from sandbox.verdicts.power import (
    CONTROL_POWER,
    detectable,
    fewest_seeds,
    power,
    smallest_p,
    two_valued_detectable,
    two_valued_power,
)
from sandbox.words import counted, digits, dose_label, percent

JSON = Mapping[str, Any]
SPREADS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Assumed without a pilot, in smallest effects."""
FAMILIES = (1, 2, 6)
"""Numbers of claims for which a warning says how many seeds they need."""


@dataclass(frozen=True)
class Detects:
    """The smallest true effect that ends supported in 4 of 5 runs; ``None``: none does."""

    spread: float
    effect: float | None


@dataclass(frozen=True)
class Analysis:
    """A number of seeds at which a claim will be judged."""

    seeds: int
    level: float  # one-sided, the least that Holm may leave
    smallest_p: float
    fewest_seeds: int | None  # whose p can reach this level
    detects: tuple[Detects, ...]  # one a spread
    power: float | None  # of a positive control, at the pilot's mean and spread

    @property
    def can_decide(self) -> bool:
        """Is there any outcome that this analysis could decide by?"""
        return self.smallest_p <= self.level


@dataclass(frozen=True)
class PlannedClaim:
    """A claim and its analyses, in order."""

    claim: str
    role: str
    metric: str
    smallest_effect: float
    alpha: float
    shared_by: int  # claims, in the worst case
    envs: int  # tested one by one: more than 1 where it is claimed of every env
    pilot: Pilot | None
    analyses: tuple[Analysis, ...]


def planned_claims(
    scenario: JSON, pilots: Sequence[Pilot] = (), family: int | None = None
) -> list[PlannedClaim]:
    """Plan every claim of a resolved scenario. ``family``: claims that share alpha, if known."""
    claims = list(scenario.get("claims") or [])
    shared = family or sum(_role(each) == "claim" for each in claims)
    return [
        _planned(scenario, each, pilots[i] if pilots else None, shared)
        for i, each in enumerate(claims)
    ]


def _planned(scenario: JSON, claim: JSON, pilot: Pilot | None, family: int) -> PlannedClaim:
    shared_by = family if _role(claim) == "claim" else 1
    every = claim.get("over") == "every" and not claim.get("env")
    envs = len(scenario["envs"]) if every else 1
    looks = looks_of(scenario)
    base, dose = doses_of(scenario, claim)
    turned = f"{claim['effect_of']} {dose_label(base)} → {dose_label(dose)}"
    wanted = (claim["metric"], claim["direction"], claim["smallest_effect"])
    return PlannedClaim(
        claim=in_words(turned, *wanted, claim.get("env") or "all"),
        role=_role(claim).replace("_", " "),
        metric=claim["metric"],
        smallest_effect=claim["smallest_effect"],
        alpha=claim["alpha"],
        shared_by=shared_by,
        envs=envs,
        pilot=pilot,
        analyses=tuple(
            _analysis(claim, n, level(claim["alpha"], looks, n) / shared_by / envs, pilot)
            for n in looks
        ),
    )


def _analysis(claim: JSON, n: int, alpha: float, pilot: Pilot | None) -> Analysis:
    smallest = claim["smallest_effect"]
    spreads = [pilot.spread] if pilot else [each * smallest for each in SPREADS]
    chance = None
    if pilot and _role(claim) == "positive_control":
        chance = _power(pilot, smallest, alpha, n) if pilot.spread else 0.0
    return Analysis(
        seeds=n,
        level=alpha,
        smallest_p=smallest_p(n),
        fewest_seeds=fewest_seeds(alpha),
        detects=tuple(
            Detects(each, _detectable(pilot, each, smallest, alpha, n)) for each in spreads
        ),
        power=chance,
    )


def _power(pilot: Pilot, smallest: float, alpha: float, n: int) -> float:
    if size := pilot.two_valued:
        mean, spread = pilot.mean / size, pilot.spread / size
        return two_valued_power(mean, spread, smallest / size, alpha, n)
    return power(pilot.mean / pilot.spread, smallest / pilot.spread, alpha, n)


def _detectable(
    pilot: Pilot | None, spread: float, smallest: float, alpha: float, n: int
) -> float | None:
    size = pilot.two_valued if pilot and spread > 0 else None
    if size is None:
        return detectable(spread, smallest, alpha, n)
    found = two_valued_detectable(spread / size, smallest / size, alpha, n)
    return None if found is None else size * found


def _role(claim: JSON) -> str:
    return str(claim.get("role", "claim"))


def remarks_of(planned: Sequence[PlannedClaim]) -> list[str]:
    """What to know of each claim's numbers before it is registered, worst marked ``warning``."""
    return [
        f"{'warning: ' if serious else ''}claim {number}: {what}"
        for number, each in enumerate(planned, 1)
        for serious, what in _remarks(each)
    ]


Remark = tuple[bool, str]
"""Is it a warning, and what it says."""


def _remarks(planned: PlannedClaim) -> Iterator[Remark]:
    for each in planned.analyses:
        if not each.can_decide:
            yield (True, _too_few(planned, each))
    pilot = planned.pilot
    if pilot is None:
        if planned.role == "positive control":
            yield (
                False,
                "a positive control; --pilot RUN shows whether it will come out supported",
            )
    elif pilot.spread:
        yield from _doubt(planned, pilot)
    else:
        same = f"all {pilot.pairs} differences of the pilot are identical"
        yield (True, f"{same}; the rule decides nothing without a spread")


def _too_few(planned: PlannedClaim, analysis: Analysis) -> str:
    """With the seeds that 1, 2 and 6 claims need that share the alpha of this analysis."""
    envs, fewest = planned.envs, analysis.fewest_seeds
    alpha = analysis.level * planned.shared_by * envs
    needed = {claims: fewest_seeds(alpha / claims / envs) for claims in FAMILIES}
    listed = ", ".join(f"{n or 'none'} for {counted(k, 'claim')}" for k, n in needed.items())
    several = f" in each of {envs} envs" if envs > 1 else ""
    needs = f"at least {fewest} seeds are needed" if fewest else "no number of seeds is enough"
    return (
        f"{counted(analysis.seeds, 'seed')} cannot decide it: the smallest p is"
        f" {analysis.smallest_p:.2g}, above the level {analysis.level:.2g}; {needs}"
        f" (at alpha {alpha:.2g}{several}: {listed})"
    )


def _doubt(planned: PlannedClaim, pilot: Pilot) -> Iterator[Remark]:
    """How sure the pilot's spread is; whether a positive control will come out."""
    last = planned.analyses[-1]
    smallest, at_most = planned.smallest_effect, pilot.spread_at_most
    most = _detectable(pilot, at_most, smallest, last.level, last.seeds)
    if most is not None:
        yield (
            False,
            (
                f"{counted(pilot.pairs, 'pair')} show the spread roughly: it may be up to"
                f" {digits(pilot.spread_at_most)} ({percent(BOUND)} bound), and then {last.seeds}"
                f" seeds detect {digits(most)}"
            ),
        )
    if last.power is not None:
        enough = last.power >= CONTROL_POWER
        advice = (
            ", as it should be"
            if enough
            else "; unless it is supported no claim is decided: use more seeds or a stronger dose"
        )
        yield (
            not enough,
            (
                f"with the pilot's mean ({digits(pilot.mean, sign=True)} in the claimed direction)"
                f" and spread this positive control is supported in {percent(round(last.power, 3))}"
                f" of runs, {'at least' if enough else 'below'} {percent(CONTROL_POWER)}{advice}"
            ),
        )
