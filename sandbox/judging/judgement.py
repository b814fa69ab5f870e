"""``judge``: the rule of the laboratory for numbers from anywhere; exploratory, not registered.

The same functions as for a run: both tests, Holm over the claims, floor and ceiling, missing pairs,
lost capability, opposed envs, controls. What only a run has is left out: doses that arrived, the
placebo, registered numbers of seeds.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.analysis.effects import Compared, Effect, metric
from sandbox.catalogue import catalogue
from sandbox.errors import InputError, Problem, did_you_mean
from sandbox.judging import claim_form, table
from sandbox.judging.claim_form import Given
from sandbox.judging.csv_file import stop
from sandbox.judging.table import CONDITION, ONE_ENV, RawTable, Table
from sandbox.verdicts.checks import headroom
from sandbox.verdicts.claims import ALPHA, claim_with, levels_of, shared, weighed
from sandbox.verdicts.controls import controlled
from sandbox.verdicts.evidence import Evidence
from sandbox.verdicts.judged import JudgedClaim
from sandbox.verdicts.notes import capability_note, missing_note
from sandbox.verdicts.overruling import missing_check
from sandbox.words import counted

if TYPE_CHECKING:
    import pandas as pd

ABLE = "capability"
ENDLESS = (-math.inf, math.inf)
EXPLORATORY = "exploratory: nothing was registered before these numbers were seen"
MOST_SEEDS = 10_000
Ranges = Mapping[str, tuple[float, float]]
Claim = dict[str, Any]


def judge(
    data: "pd.DataFrame | str | Path",
    claims: Given | Sequence[Given],
    *,
    ranges: Ranges | None = None,
) -> list[JudgedClaim]:
    """Judge claims about a table of trials by the rule of the laboratory; exploratory.

    ``data``: a data frame, or a CSV or Parquet file: one row a trial, with the columns ``seed``,
    ``condition``, ``env`` (where there are several) and one for each metric. ``claims``: lines like
    ``"harm: careful < plain by 0.05"``, or mappings with the keys of a scenario's claim and
    ``treatment`` and ``control`` for ``effect_of`` and ``dose``. ``ranges``: metric -> (least,
    most), to bound what missing pairs could have shown. Raises ``InputError`` with all bad cells.
    """
    raw = table.read_file(data) if isinstance(data, str | Path) else table.of_frame(data)
    found = judged(raw, list(claim_form.all_of(claims)), ranges or {})
    return [_exploratory(each) for each in found]


def judged(raw: RawTable, claims: Sequence[Claim], ranges: Ranges) -> list[JudgedClaim]:
    """As ``judge``, of claims that have been read; that it is exploratory is for callers to say."""
    names = list(dict.fromkeys(each["metric"] for each in claims))
    raw.need((table.SEED, CONDITION, *names))
    stop(
        [
            Problem(raw.name, f"'{x}' names trials and is no metric")
            for x in names
            if x in table.NO_METRICS
        ]
    )
    names += [ABLE] if ABLE in raw.columns and ABLE not in names else []
    _check_ranges(ranges, names)
    found = table.measured(raw, names, {name: limits_of(name, ranges) for name in names})
    arms = [_arms(found, each, ranges) for each in _resolved(found, claims)]
    seen = {i: each.effect(each.claim["metric"], each.scope) for i, each in enumerate(arms)}
    alphas = {i: each.claim.get("alpha", ALPHA) for i, each in enumerate(arms)}
    family = max(1, sum(each["role"] == "claim" for each in claims))
    by_number = {i: each.claim for i, each in enumerate(arms)}
    levels, counts = levels_of(by_number, seen, alphas, (family, family))
    each_alone = [
        shared(_judged(each, seen[i], levels[i]), alphas[i], counts[i])
        for i, each in enumerate(arms)
    ]
    return controlled(each_alone, lambda _: ())


def _judged(arms: "OfTable", seen: Effect, levels: Any) -> JudgedClaim:
    checks = [headroom(arms.claim, seen, arms.limits(seen.metric)), missing_check(seen)]
    verdict, robust = weighed(arms.claim, seen, levels, checks, arms)
    own = (*capability_note(seen, arms), *missing_note(seen), *arms.left_out(), *arms.unseen())
    verdict = replace(verdict, notes=(*verdict.notes, *own))
    return claim_with(arms.claim, seen, verdict, robust, seen.n + len(seen.missing))


def _exploratory(found: JudgedClaim) -> JudgedClaim:
    """Say that nothing shows whether the claim is older than the numbers."""
    notes = (EXPLORATORY, *found.verdict.notes)
    return replace(found, verdict=replace(found.verdict, notes=notes))


def limits_of(name: str, ranges: Ranges) -> tuple[float, float]:
    """The range given; else that of our metric of this name; else none."""
    if name in ranges:
        return ranges[name]
    return metric(name).range if _ours(name) else ENDLESS


def _ours(name: str) -> bool:
    return name in catalogue().names("metrics")


def _check_ranges(ranges: Ranges, names: Sequence[str]) -> None:
    problems = []
    for name, (low, high) in ranges.items():
        if name not in names:
            hint = did_you_mean(name, names)
            problems.append(Problem(f"range of {name!r}", f"no claim is about it{hint}"))
        if not low < high:
            what = f"must rise from the least to the most (got {low:g}:{high:g})"
            problems.append(Problem(f"range of {name!r}", what))
    stop(problems)


def _resolved(found: Table, claims: Sequence[Claim]) -> list[Claim]:
    """Claims whose conditions and envs are in the table. Raises ``InputError``."""
    problems: list[Problem] = []
    if len(found.envs) > 1 and ONE_ENV in found.envs:
        what = f"an env is called '{ONE_ENV}', which means all of them; give it another name"
        problems.append(Problem(found.name, what))
    whole = [_with_control(found, each, i, problems) for i, each in enumerate(claims, 1)]
    stop(problems)
    return whole


def _with_control(found: Table, claim: Claim, number: int, problems: list[Problem]) -> Claim:
    where, known = f"{found.name}, claim {number}", found.conditions
    others = [each for each in known if each != claim["treatment"]]
    if claim["control"] is None and len(others) == 1:
        claim = {**claim, "control": others[0]}
    if claim["control"] is None:
        problems.append(Problem(where, f"say the control; there are {', '.join(others) or 'none'}"))
    named = [each for each in (claim["treatment"], claim["control"]) if each is not None]
    problems += [Problem(where, _no_such("condition", x, known)) for x in named if x not in known]
    if claim["env"] is not None and claim["env"] not in found.envs:
        problems.append(Problem(where, _no_env(claim["env"], found.envs)))
    return claim


def _no_env(name: str, known: Sequence[str]) -> str:
    if list(known) != [ONE_ENV]:
        return _no_such("env", name, known)
    what = "the table has one env without a name"
    return f"{what}; leave out 'in {name}', or add a column '{table.ENV}'"


def _no_such(what: str, name: str, known: Sequence[str]) -> str:
    some = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")  # noqa: PLR2004  (one line)
    return f"no {what} is called {name!r}; there are {some}{did_you_mean(name, known)}"


def _arms(found: Table, claim: Claim, ranges: Ranges) -> "OfTable":
    arms = OfTable(found, claim, ranges)
    if len(arms.seeds) > MOST_SEEDS:
        what = f"{len(arms.seeds):,} seeds; at most {MOST_SEEDS:,} are judged"
        raise InputError(Problem(found.name, what))
    return arms


@dataclass(frozen=True)
class OfTable(Evidence):
    """Two conditions of a table. A seed of either of them is one that both should have."""

    table: Table
    claim: Claim
    ranges: Ranges

    @property
    def scope(self) -> str:
        """The env of the claim, or all."""
        return str(self.claim["env"] or ONE_ENV)

    @property
    def both(self) -> tuple[str, str]:
        """The control and the treatment."""
        return self.claim["control"], self.claim["treatment"]

    @cached_property
    def seeds(self) -> list[int]:
        """Every seed that one of the two conditions has in some env."""
        return sorted({seed for seed, condition, _ in self.table.trials if condition in self.both})

    def envs(self) -> Sequence[str]:
        """Those in which some seed has both conditions."""
        control, treatment = self.both
        trials = self.table.trials
        paired = {e for s, c, e in trials if c == control and (s, treatment, e) in trials}
        return [each for each in self.table.envs if each in paired]

    def effect(self, name: str, env: str) -> Effect:
        """See ``Evidence``; nothing where the table has no such column."""
        unit = metric(name).unit if _ours(name) else ""
        compared = Compared(CONDITION, name, env, unit, *self.both)
        if name not in self.table.measured:
            return compared.effect({}, ENDLESS, str)
        places = [each for each in self.envs() if env in {ONE_ENV, each}]
        values = {seed: self._pairs(seed, places, name) for seed in self.seeds}
        return compared.effect(values, self.limits(name), lambda seed: self._why(seed, places))

    def _pairs(
        self, seed: int, places: Sequence[str], name: str
    ) -> list[tuple[float | None, float | None]]:
        trials, (control, treatment) = self.table.trials, self.both
        cells = [(trials.get((seed, control, e)), trials.get((seed, treatment, e))) for e in places]
        known = [(one[name], other[name]) for one, other in cells if one and other]
        return known if len(known) == len(places) else []

    def _why(self, seed: int, places: Sequence[str]) -> str:
        gone = [c for c in self.both for e in places if (seed, c, e) not in self.table.trials]
        return f"no row of condition {gone[0]}" if gone else "a cell is blank"

    def limits(self, name: str) -> tuple[float, float]:
        """The range that was given, or that of our metric of this name."""
        return limits_of(name, self.ranges)

    def less_is_better(self, name: str) -> bool:
        """As our metric of this name says; of any other metric it is not known, and may be."""
        return metric(name).direction == "lower" if _ours(name) else True

    def unseen(self) -> Iterator[str]:
        """What could not be looked for."""
        harm = self.claim["direction"] == "lower" and self.less_is_better(self.claim["metric"])
        if harm and ABLE not in self.table.measured and not self.claim["accept_capability_loss"]:
            yield f"no column '{ABLE}': whether it fell, too, could not be looked at"

    def left_out(self) -> Iterator[str]:
        """What of the table the claim could not use, beside the seeds that are missing."""
        there = self.envs()
        lone = [each for each in self.table.envs if each not in there]
        if lone and self.claim["env"] is None and there:
            yield f"left out, no seed has both conditions there: {', '.join(lone)}"
        others = {seed for seed, _, _ in self.table.trials} - set(self.seeds)
        if others:
            yield f"{counted(len(others), 'seed')} of other conditions are in neither of these two"
        lost = [
            sum((s, c, e) not in self.table.trials for s in self.seeds for e in there)
            for c in self.both
        ]
        if lost[0] != lost[1]:
            rows = f"{lost[0]} rows are missing at {self.both[0]}, {lost[1]} at {self.both[1]}"
            yield f"{rows}; the remaining seeds may be a biased sample"
