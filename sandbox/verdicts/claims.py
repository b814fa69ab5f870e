"""What a scenario claims, and the verdict on each claim with its checks.

A verdict is given at registered numbers of seeds only (``looks``). One that departs from what was
registered before the first trial began is *exploratory*: at most suggestive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.analysis.effects import Effect, claims_of, effect
from sandbox.design import level, looks_of
from sandbox.record.store import RunRecord
from sandbox.verdicts.checks import checks_of
from sandbox.verdicts.looks import ended_seeds
from sandbox.verdicts.notes import fragility, notes_of
from sandbox.verdicts.provenance import Provenance, provenance
from sandbox.verdicts.verdict import Verdict, exploratory, judge, pending
from sandbox.words import bracketed, percent

DECIDED = frozenset({"supported", "refuted"})


@dataclass(frozen=True)
class JudgedClaim:
    """A claim of the scenario and its verdict."""

    metric: str
    effect_of: str
    direction: str  # "higher" or "lower": where the claim says the metric goes
    smallest_effect: float
    effect: Effect
    verdict: Verdict
    fragility: str  # one line, empty where the verdict is invalid or not due yet
    seeds: int  # of the registered order that it rests on

    @property
    def claim(self) -> str:
        """The claim in words."""
        where = "" if self.effect.env == "all" else f" in {self.effect.env}"
        return (
            f"{self.effect.turned} makes {self.metric} {self.direction}"
            f" by at least {self.smallest_effect:g}{where}"
        )

    @property
    def change(self) -> str:
        """What the metric itself did, ``-0.81 [-0.95, -0.67]``: below 0 where it fell.

        A verdict counts towards its claim instead, so that a claimed fall is positive there.
        """
        found, sign = self.verdict, 1 if self.direction == "higher" else -1
        if found.estimate is None:
            return "" if found.status == "pending" else "not measured"
        ends = sorted(sign * each for each in (found.low, found.high) if each is not None)
        return bracketed(sign * found.estimate, *ends)

    @property
    def confidence(self) -> str:
        """``90 % interval``: a claim is judged one-sided, at its alpha, so by ``1 - 2 alpha``."""
        return f"{percent(1 - 2 * self.verdict.alpha)} interval"


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
    """Judge what is not decided yet at ``n`` seeds.

    The claim with the smallest sign-flip p is judged at this analysis' level / k; after each
    decided claim the next is judged with k less by one. A failed check decides nothing, and
    neither does an exploratory claim.
    """
    claims, judged = claims_of(run), dict(standing)
    seen = {i: _effect(run, each, n) for i, each in enumerate(claims) if i not in judged}
    order = sorted(seen, key=lambda i: (seen[i].p is None, seen[i].p or 0.0, i))
    share = max(story.registration.family - len(standing), 1)
    for i in order:
        whole = level(claims[i].get("alpha", 0.05), looks, n)
        found = _judged(run, claims[i], seen[i], whole / share, story=story, n=n)
        judged[i] = _shared(found, whole, share)
        share = max(share - (found.verdict.status in DECIDED), 1)
    return [judged[i] for i in range(len(claims))]


def _effect(run: RunRecord, claim: Mapping[str, Any], n: int) -> Effect:
    env = claim.get("env") or "all"
    return effect(run, claim["effect_of"], claim["metric"], env, claim.get("dose"), seeds=n)


def _judged(
    run: RunRecord,
    claim: Mapping[str, Any],
    seen: Effect,
    alpha: float,
    *,
    story: Provenance,
    n: int,
) -> JudgedClaim:
    sign = 1 if claim["direction"] == "higher" else -1
    oriented = [sign * difference for difference in seen.differences.values()]
    smallest = claim["smallest_effect"]
    checks = checks_of(run, claim, seen, story.changed_files)
    verdict = judge(oriented, smallest, alpha, checks)
    robust = fragility(oriented, smallest, alpha, checks, verdict)
    verdict = replace(verdict, notes=(*verdict.notes, *notes_of(run, seen, n), *story.notes))
    return _claim(claim, seen, exploratory(verdict, story.because(claim)), robust, n)


def _pending(
    run: RunRecord, claim: Mapping[str, Any], story: Provenance, ended: int, first: int
) -> JudgedClaim:
    """No verdict yet; a run whose files were changed will never give one."""
    seen = _effect(run, claim, ended)
    smallest, alpha = claim["smallest_effect"], claim.get("alpha", 0.05)
    if story.changed_files:
        checks = checks_of(run, claim, seen, story.changed_files)
        return _claim(claim, seen, judge([], smallest, alpha, checks), "", ended)
    reason = f"no verdict before n = {first}: {ended} of {first} seeds have ended"
    verdict = pending(reason, smallest, alpha, (*story.because(claim), *story.notes))
    return _claim(claim, seen, verdict, "", ended)


def _claim(
    claim: Mapping[str, Any], seen: Effect, verdict: Verdict, robust: str, n: int
) -> JudgedClaim:
    return JudgedClaim(
        metric=claim["metric"],
        effect_of=claim["effect_of"],
        direction=claim["direction"],
        smallest_effect=claim["smallest_effect"],
        effect=seen,
        verdict=verdict,
        fragility=robust,
        seeds=n,
    )


def _continued(judged: JudgedClaim, later: Sequence[int]) -> JudgedClaim:
    """Say at which number of seeds an undecided claim is judged again."""
    if not later or judged.verdict.status in {*DECIDED, "invalid"}:
        return judged
    note = f"interim analysis at {judged.seeds} seeds; the next is at {later[0]}"
    return replace(judged, verdict=replace(judged.verdict, notes=(*judged.verdict.notes, note)))


def _shared(judged: JudgedClaim, whole: float, share: int) -> JudgedClaim:
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
