"""Preconditions of a claim: whole files, no smoke run, the dose arrived, no floor or ceiling."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.analysis.effects import Effect, metric, pairs_of
from sandbox.catalogue import catalogue
from sandbox.contract import Lever
from sandbox.record.store import RunRecord
from sandbox.verdicts.overruling import missing_check
from sandbox.verdicts.verdict import Check
from sandbox.words import Dose

EDGE = 0.05


def checks_of(
    run: RunRecord, claim: Mapping[str, Any], seen: Effect, changed_files: Sequence[str] = ()
) -> list[Check]:
    """Preconditions of a claim: the dose arrived, and the base is not at the edge of the range.

    Files that were changed after they were written fail in any case, and so does a smoke run: its
    agents have hardly begun to learn.
    """
    if changed_files:
        return [Check("record", False, "; ".join(changed_files))]
    if run.scenario.get("smoke"):
        return [Check("smoke run", False, "a fraction of the steps, its numbers mean nothing")]
    lever: Lever = catalogue().load("levers", seen.lever)()
    return [
        _arrived(run, lever, seen),
        headroom(claim, seen, metric(seen.metric).range),
        missing_check(seen),
    ]


def _arrived(run: RunRecord, lever: Lever, seen: Effect) -> Check:
    name = f"manipulation check of {seen.lever}"
    results = list(_manipulations(run, lever, seen))
    wrong = [trial for trial, passed in results if passed is False]
    if wrong:
        return Check(name, False, f"the dose did not arrive in {', '.join(sorted(set(wrong)))}")
    passed = True if any(each for _, each in results) else None
    return Check(name, passed, "" if passed else "the events do not show it")


def _manipulations(run: RunRecord, lever: Lever, seen: Effect) -> Iterator[tuple[str, bool | None]]:
    ratio = _ratio(seen.base_dose, seen.dose)
    for seed, pairs in pairs_of(run, seen.lever, seen.env, seen.dose).items():
        for one, other in pairs if seed in seen.differences else ():
            yield one.id, lever.manipulation_check(one.events, seen.base_dose)
            yield other.id, lever.manipulation_check(other.events, seen.dose)
            yield other.id, lever.contrast_check(one.events, other.events, ratio)


def _ratio(base: Dose, dose: Dose) -> float:
    if isinstance(base, str) or isinstance(dose, str):
        return math.nan
    return dose / base if base else math.inf


def headroom(claim: Mapping[str, Any], seen: Effect, limits: tuple[float, float]) -> Check:
    """Can the claimed effect be seen in the range of the metric?

    The base must not lie within 5 % of the edge of the metric's range that the claim points to, and
    must lie at least the smallest effect away from it. A base at the *other* edge is as far away as
    possible, and an effect seen from there is real (a wrong-goal rate of 1 that falls). Only if the
    treated arm stays at that edge too may the edge hide an effect: then the check fails.
    """
    name, (low, high) = "floor and ceiling", limits
    if seen.base is None or seen.treated is None:
        return Check(name, None, f"{seen.metric} was not measured")
    if not math.isfinite(high - low):
        return Check(
            name, None, f"{seen.metric} has no floor and ceiling that could hide an effect"
        )
    up = claim["direction"] == "higher"
    base, treated = (((high - x) if up else (x - low)) for x in (seen.base, seen.treated))
    ahead, behind = ("ceiling", "floor") if up else ("floor", "ceiling")
    width = high - low
    if base < EDGE * width or base < claim["smallest_effect"]:
        detail = f"the base, {seen.base:.3g}, is so near the {ahead} that the claim could not show"
        return Check(name, False, detail)
    if min(base, treated) > (1 - EDGE) * width:
        detail = f"base {seen.base:.3g} and treated {seen.treated:.3g} both lie at the {behind}"
        return Check(name, False, f"{detail}, which may hide any difference")
    if base > (1 - EDGE) * width:
        detail = f"the base, {seen.base:.3g}, lies at the {behind}: a reverse could not show"
        return Check(name, True, detail)
    return Check(name, True)
