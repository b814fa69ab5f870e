"""What a pilot, another run with the same lever and metric, says of a claim before it is run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from sandbox.analysis.effects import Effect, effect, env_name
from sandbox.analysis.statistics import identical
from sandbox.analysis.two_valued import counts_of
from sandbox.errors import InputError, Problem
from sandbox.record.differences import differences
from sandbox.record.store import RunRecord
from sandbox.words import counted, dose_label

JSON = Mapping[str, Any]
FEWEST_PAIRS = 3
BOUND = 0.95
"""Confidence of the upper bound of the spread."""


@dataclass(frozen=True)
class Pilot:
    """What another run says of one claim."""

    pairs: int
    mean: float  # difference, + in the direction of the claim
    spread: float  # standard deviation of the paired differences
    spread_at_most: float  # one-sided 95 % bound, for normal differences
    two_valued: float | None = None  # size of all differences that are not 0, where they have one


def doses_of(scenario: JSON, claim: JSON) -> tuple[Any, Any]:
    """The lever's first dose, and the one that the claim holds against it."""
    doses, dose = scenario["levers"][claim["effect_of"]], claim.get("dose")
    return doses[0], doses[-1] if dose is None else dose


def pilots_of(scenario: JSON, run: RunRecord) -> list[Pilot]:
    """What a pilot says of each claim. Raises ``InputError``, a line for each it says nothing of.

    A claim about every env has the largest spread that it has in any of them.
    """
    claims = list(scenario.get("claims") or [])
    problems = list(_unfit(scenario, run)) or [
        what for each in claims for what in _lacking(scenario, each, run)
    ]
    found = []
    for claim in [] if problems else claims:
        seen = _effects(scenario, claim, run)
        few = min(seen, key=lambda each: each.n)
        if few.n < FEWEST_PAIRS:
            problems.append(_too_few(few))
        else:
            found.append(max((_pilot(claim, each) for each in seen), key=lambda x: x.spread))
    if problems:
        where = f"pilot {run.folder}"
        raise InputError(*(Problem(where, what) for what in dict.fromkeys(problems)))
    return found


def _too_few(seen: Effect) -> str:
    where = seen.turned + ("" if seen.env == "all" else f" in {seen.env}")
    if seen.n == 0:
        return f"did not measure '{seen.metric}' at {where}: {next(iter(seen.missing.values()))}"
    have = f"has {counted(seen.n, 'pair')} of seeds with {where} that measured '{seen.metric}'"
    return f"{have}; a spread needs {FEWEST_PAIRS}"


def _unfit(scenario: JSON, run: RunRecord) -> Iterator[str]:
    if not scenario.get("claims"):
        yield "is of no use here: the scenario has no claims"
    if run.scenario.get("smoke"):
        yield "is a smoke run, its numbers mean nothing; run it in full"


def _lacking(scenario: JSON, claim: JSON, run: RunRecord) -> Iterator[str]:
    lever, theirs = claim["effect_of"], run.scenario["levers"]
    base, dose = doses_of(scenario, claim)
    envs = {env_name(run, trial) for trial in run.trials}
    if lever not in theirs:
        yield f"has no lever '{lever}' (it has {', '.join(theirs) or 'none'})"
    elif theirs[lever][0] != base or dose not in theirs[lever]:
        have = ", ".join(map(dose_label, theirs[lever]))
        asked = f"{dose_label(base)} → {dose_label(dose)}"
        yield f"has no {lever} {asked}: its doses are {have}, the first is the baseline"
    if claim.get("env") and claim["env"] not in envs:
        yield f"has no env '{claim['env']}' (it has {', '.join(sorted(envs)) or 'none'})"


def _effects(scenario: JSON, claim: JSON, run: RunRecord) -> list[Effect]:
    """The claim's effect in the pilot; where it is about every env, in each that the pilot has."""
    _, dose = doses_of(scenario, claim)
    every = claim.get("over") == "every" and not claim.get("env")
    envs = sorted({env_name(run, trial) for trial in run.trials}) if every else []
    return [
        effect(run, claim["effect_of"], claim["metric"], env, dose)
        for env in envs or [claim.get("env") or "all"]
    ]


def _pilot(claim: JSON, seen: Effect) -> Pilot:
    sign = 1 if claim["direction"] == "higher" else -1
    found = sign * np.array([*seen.differences.values()])
    freedom = found.size - 1
    spread = 0.0 if identical(found) else float(found.std(ddof=1))
    bound = float((freedom / stats.chi2.ppf(1 - BOUND, freedom)) ** 0.5)
    counts = counts_of(found)
    size = counts.size if counts else None
    return Pilot(found.size, float(found.mean()), spread, spread * bound, size)


def pilot_notes(scenario: JSON, run: RunRecord) -> list[str]:
    """In what the pilot is another experiment, and which of its seeds would be run again."""
    parts = ("envs", "agent", "gate", "controls", "probes", "design", "arms")
    mine, theirs = (
        {key: each.get(key) or {} for key in parts} for each in (scenario, run.scenario)
    )
    changed = [".".join(each.path) for each in differences(mine, theirs)]
    same = sorted(set(scenario["seeds"]) & set(run.scenario["seeds"]))
    found = []
    if changed:
        found.append(
            f"the pilot differs in {_first(changed)}: with these its spread may be another"
        )
    if same and not changed:
        found.append(
            f"the pilot ran the seeds {_first(same)} already, which this scenario would repeat to"
            f" the bit: give it others, as seeds: {{first: {max(run.scenario['seeds']) + 1},"
            f" count: {len(scenario['seeds'])}}}"
        )
    return found


def _first(names: Sequence[Any], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more
