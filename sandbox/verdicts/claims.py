"""What a scenario claims, and the verdict on each claim with its checks.

A verdict is given at registered numbers of seeds only (``looks``). One that departs from what was
registered before the first trial began is *exploratory*: at most suggestive. Claims with the role
of a control have a known answer; they stand outside Holm, and may take the other claims back.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from sandbox.analysis.effects import Effect, claims_of, effect
from sandbox.design import level, looks_of
from sandbox.record.ledger import canonical
from sandbox.record.store import RunRecord
from sandbox.verdicts import overruling
from sandbox.verdicts.checks import checks_of
from sandbox.verdicts.controls import controlled, placebo_checks
from sandbox.verdicts.evidence import Evidence, OfRun
from sandbox.verdicts.holm import shares
from sandbox.verdicts.judged import JudgedClaim
from sandbox.verdicts.looks import ended_seeds
from sandbox.verdicts.notes import figures_of, fragility, notes_of
from sandbox.verdicts.provenance import Provenance, provenance
from sandbox.verdicts.rule import Levels, Tested, Tests, both_tests
from sandbox.verdicts.verdict import DECIDED, Check, Verdict, exploratory, judge, pending

ALPHA = 0.01
UNTESTED = Tests(Tested(1.0, 1.0), Tested(1.0, 1.0))


def verdicts(run: RunRecord, at: int | None = None) -> list[JudgedClaim]:
    """One verdict per claim, in order; several share their alpha by Holm's step-down.

    At the last registered number of seeds that has been reached; what was decided at an earlier one
    stands. ``at``: at this number of seeds instead, which is exploratory unless it is registered.
    """
    story, looks, ended = provenance(run), looks_of(run.scenario), ended_seeds(run)
    if at is not None and at not in looks:
        why = f"judged at {at} seeds, registered are {_either(looks)}"
        story = replace(story, reasons=(*story.reasons, why))
        return _at(run, story, at, [at], {})
    found: dict[int, JudgedClaim] = {}
    for n in looks:
        if n <= (ended if at is None else min(ended, at)):
            standing = {i: each for i, each in found.items() if each.verdict.status in DECIDED}
            found = dict(enumerate(_at(run, story, n, looks, standing)))
    if not found:
        return [_pending(run, claim, story, ended, looks[0]) for claim in claims_of(run)]
    later = [n for n in looks if n > max(each.seeds for each in found.values())]
    return [_continued(found[i], later) for i in range(len(found))]


def _at(
    run: RunRecord,
    story: Provenance,
    n: int,
    looks: list[int],
    standing: Mapping[int, JudgedClaim],
) -> list[JudgedClaim]:
    """Judge what is not decided yet at ``n`` seeds; controls then may take decisions back."""
    claims = claims_of(run)
    open_ = {i: each for i, each in enumerate(claims) if i not in standing}
    seen = {i: _effect(run, each, n) for i, each in open_.items()}
    alphas = {i: level(each.get("alpha", ALPHA), looks, n) for i, each in open_.items()}
    family = story.registration.family - sum(each.role == "claim" for each in standing.values())
    apart = {i for i, each in open_.items() if story.because(each)}
    every = max(story.registration.largest_family, 1)  # for one that was added later
    levels, shares_of = levels_of(open_, seen, alphas, (family, every), apart)
    judged = dict(standing)
    for i, claim in open_.items():
        found = _judged(run, claim, seen[i], levels[i], story=story, n=n)
        judged[i] = shared(found, alphas[i], shares_of[i])
    return controlled([judged[i] for i in range(len(claims))], partial(placebo_checks, run, n))


def levels_of(
    claims: Mapping[int, Mapping[str, Any]],
    seen: Mapping[int, Effect],
    alphas: Mapping[int, float],
    sizes: tuple[int, int],
    apart: Collection[int] = (),
) -> tuple[dict[int, Levels], dict[int, int]]:
    """Levels of both tests of every claim after Holm, and by how many claims it is shared.

    Controls have all of their alpha. Claims ``apart`` free none for the others. ``sizes``: of the
    family that shares alpha, and of that for claims apart.
    """
    tests = {i: _tests(claim, seen[i]) for i, claim in claims.items()}
    outside = {i for i, each in claims.items() if _role(each) != "claim"}
    taking_part = [i for i in claims if i not in outside and i not in apart]
    taking_part.sort(key=lambda i: canonical(claims[i]))  # equal p: not by the place in the file
    both = [shares({i: tests[i][k].p for i in taking_part}, alphas, sizes[0]) for k in (0, 1)]
    counts = {i: [1 if i in outside else each.get(i, sizes[1]) for each in both] for i in claims}
    levels = {i: Levels(*(alphas[i] / count for count in counts[i])) for i in claims}
    return levels, {i: counts[i][_toward(claim, seen[i])] for i, claim in claims.items()}


def _tests(claim: Mapping[str, Any], seen: Effect) -> Tests:
    found = np.asarray(overruling.oriented(claim, seen), dtype=float)
    return both_tests(found, claim["smallest_effect"]) if found.size > 1 else UNTESTED


def _toward(claim: Mapping[str, Any], seen: Effect) -> int:
    """Which of the two tests the mean points to: 0 above zero, 1 below the smallest effect."""
    found = overruling.oriented(claim, seen)
    return int(not found or float(np.mean(found)) < claim["smallest_effect"])


def _role(claim: Mapping[str, Any]) -> str:
    return str(claim.get("role", "claim"))


def _effect(run: RunRecord, claim: Mapping[str, Any], n: int) -> Effect:
    env = claim.get("env") or "all"
    return effect(run, claim["effect_of"], claim["metric"], env, claim.get("dose"), seeds=n)


def _judged(
    run: RunRecord,
    claim: Mapping[str, Any],
    seen: Effect,
    levels: Levels,
    *,
    story: Provenance,
    n: int,
) -> JudgedClaim:
    checks = checks_of(run, claim, seen, story.changed_files)
    arms = OfRun(run, seen.lever, seen.dose, n)
    verdict, robust = weighed(claim, seen, levels, checks, arms)
    notes = (*notes_of(run, seen, n, arms), *story.notes)
    verdict = replace(verdict, notes=(*verdict.notes, *notes))
    return claim_with(claim, seen, exploratory(verdict, story.because(claim)), robust, n)


def weighed(
    claim: Mapping[str, Any],
    seen: Effect,
    levels: Levels,
    checks: Sequence[Check],
    arms: Evidence,
) -> tuple[Verdict, str]:
    """Judge one claim by the rule, with all that may overrule it but the controls; fragility."""
    differences, smallest = overruling.oriented(claim, seen), claim["smallest_effect"]
    verdict = judge(differences, smallest, max(levels), checks, levels)
    robust = fragility(differences, smallest, levels, checks, verdict)
    verdict = overruling.overruled(verdict, claim, seen, levels, arms)
    return replace(verdict, notes=(*verdict.notes, *figures_of(verdict))), robust


def _pending(
    run: RunRecord, claim: Mapping[str, Any], story: Provenance, ended: int, first: int
) -> JudgedClaim:
    """No verdict yet; a run whose files were changed will never give one."""
    seen = _effect(run, claim, ended)
    smallest, alpha = claim["smallest_effect"], claim.get("alpha", ALPHA)
    if story.changed_files:
        checks = checks_of(run, claim, seen, story.changed_files)
        return claim_with(claim, seen, judge([], smallest, alpha, checks), "", ended)
    reason = f"no verdict before n = {first}: {ended} of {first} seeds have ended"
    verdict = pending(reason, smallest, alpha, (*story.because(claim), *story.notes))
    return claim_with(claim, seen, verdict, "", ended)


def claim_with(
    claim: Mapping[str, Any], seen: Effect, verdict: Verdict, robust: str, n: int
) -> JudgedClaim:
    """Put a claim of a scenario beside its verdict."""
    return JudgedClaim(
        metric=claim["metric"],
        effect_of=claim["effect_of"],
        direction=claim["direction"],
        smallest_effect=claim["smallest_effect"],
        effect=seen,
        verdict=verdict,
        fragility=robust,
        seeds=n,
        role=_role(claim),
    )


def _continued(judged: JudgedClaim, later: Sequence[int]) -> JudgedClaim:
    """Say at which number of seeds an undecided claim is judged again."""
    if not later or judged.verdict.status in {*DECIDED, "invalid"}:
        return judged
    note = f"interim analysis at {judged.seeds} seeds; the next is at {later[0]}"
    return replace(judged, verdict=replace(judged.verdict, notes=(*judged.verdict.notes, note)))


def shared(judged: JudgedClaim, whole: float, share: int) -> JudgedClaim:
    """Say why its interval is wider than that of a claim alone; nothing where it is not."""
    if share == 1 or judged.verdict.low is None:
        return judged
    note = (
        f"alpha {whole:g} is shared by {share} claims not decided before this one (Holm), so it is"
        f" judged at {whole / share:.3g}: hence its {judged.confidence}"
    )
    verdict = replace(judged.verdict, notes=(*judged.verdict.notes, note))
    return replace(judged, verdict=verdict)


def _either(numbers: Sequence[int]) -> str:
    return " and ".join(map(str, numbers))
