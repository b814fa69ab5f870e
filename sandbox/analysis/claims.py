"""What a scenario claims, and the verdict on each claim with its checks."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.analysis.effects import Effect, claims_of, effect, metric, pairs_of, state
from sandbox.analysis.verdict import Check, Verdict, judge
from sandbox.catalogue import catalogue
from sandbox.contract import Lever
from sandbox.record.events import Updated
from sandbox.record.store import RunRecord, TrialRecord
from sandbox.words import Dose, bracketed, dose_label, percent

EDGE = 0.05
LESSONS = "lessons"  # loss that counts what an objective was shown by another agent


@dataclass(frozen=True)
class JudgedClaim:
    """A claim of the scenario and its verdict."""

    metric: str
    effect_of: str
    direction: str  # "higher" or "lower": where the claim says the metric goes
    smallest_effect: float
    effect: Effect
    verdict: Verdict
    fragility: str  # one line, empty where the verdict is invalid

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
            return "not measured"
        ends = sorted(sign * each for each in (found.low, found.high) if each is not None)
        return bracketed(sign * found.estimate, *ends)

    @property
    def confidence(self) -> str:
        """``90 % interval``: a claim is judged one-sided, at its alpha, so by ``1 - 2 alpha``."""
        return f"{percent(1 - 2 * self.verdict.alpha)} interval"


def verdicts(run: RunRecord) -> list[JudgedClaim]:
    """One verdict per claim, in order; several share their alpha by Holm's step-down.

    The claim with the smallest sign-flip p is judged at alpha / k; after each decided claim the
    next is judged with k less by one. A failed check decides nothing.
    """
    claims = claims_of(run)
    found = [_effect(run, each) for each in claims]
    order = sorted(range(len(claims)), key=lambda i: (found[i].p is None, found[i].p or 0.0, i))
    share, judged = len(claims), {}
    for i in order:
        whole = claims[i].get("alpha", 0.05)
        judged[i] = _shared(_judged(run, claims[i], found[i], whole / share), whole, share)
        share -= judged[i].verdict.status in {"supported", "refuted"}
        share = max(share, 1)
    return [judged[i] for i in range(len(claims))]


def _effect(run: RunRecord, claim: Mapping[str, Any]) -> Effect:
    env = claim.get("env") or "all"
    return effect(run, claim["effect_of"], claim["metric"], env, claim.get("dose"))


def _judged(run: RunRecord, claim: Mapping[str, Any], seen: Effect, alpha: float) -> JudgedClaim:
    sign = 1 if claim["direction"] == "higher" else -1
    oriented = [sign * difference for difference in seen.differences.values()]
    smallest = claim["smallest_effect"]
    checks = checks_of(run, claim, seen)
    verdict = judge(oriented, smallest, alpha, checks)
    verdict = replace(verdict, notes=(*verdict.notes, *_notes(run, seen)))
    return JudgedClaim(
        metric=claim["metric"],
        effect_of=claim["effect_of"],
        direction=claim["direction"],
        smallest_effect=smallest,
        effect=seen,
        verdict=verdict,
        fragility=_fragility(oriented, smallest, alpha, checks, verdict),
    )


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


def _notes(run: RunRecord, seen: Effect) -> Iterator[str]:
    """Notes beside the verdict: the change in capability, and seeds left out."""
    able = effect(run, seen.lever, "capability", seen.env, seen.dose)
    if seen.metric != "capability" and able.base is not None and able.treated is not None:
        note = f"capability went from {able.base:.3g} to {able.treated:.3g}"
        if able.estimate is not None and able.low is not None and able.high is not None:
            between = bracketed(able.estimate, able.low, able.high)
            note += f" ({between}, {percent(able.confidence)} interval)"
            safer = metric(seen.metric).direction == "lower" and (seen.estimate or 0.0) < 0
            if able.high < 0 and safer:
                note += "; lower capability alone may explain less harm"
        yield note
    yield from _without_samples(run, seen)
    if seen.missing:
        note = f"{len(seen.missing)} of {len(seen.missing) + seen.n} seeds could not be compared"
        yield note + _lost(run, seen)


def _without_samples(run: RunRecord, seen: Effect) -> Iterator[str]:
    """Objectives that learn from another agent and were never shown anything, in any seed."""
    found = pairs_of(run, seen.lever, seen.env, seen.dose).values()
    pairs = [pair for each in found for pair in each]
    for arm, dose in enumerate((seen.base_dose, seen.dose)):
        ends = [_samples(pair[arm]) for pair in pairs]
        for name in sorted({name for end in ends for name in end}):
            if not any(end.get(name) for end in ends):
                yield f"at {dose_label(dose)} {name} was never shown anything and learned nothing"


def _samples(trial: TrialRecord) -> Mapping[str, float]:
    """Objective -> the number of samples that it reports at the last update."""
    updates = [each for each in trial.events if isinstance(each, Updated)][-1:]
    return {
        name: value for each in updates for name, what, value in each.accounts() if what == LESSONS
    }


def _lost(run: RunRecord, seen: Effect) -> str:
    """Failed trials by arm; where a dose makes trials fail, the remaining seeds may be biased."""
    pairs = pairs_of(run, seen.lever, seen.env, seen.dose)
    lost = [pair for seed in seen.missing for pair in pairs[seed]]
    base, treated = (sum(state(pair[arm]) == "failed" for pair in lost) for arm in (0, 1))
    if base == treated:
        return ""
    note = f": {base} trials failed at {dose_label(seen.base_dose)}, {treated}"
    note += f" at {dose_label(seen.dose)}"
    return f"{note}; the remaining seeds may be a biased sample"


def _fragility(
    oriented: Sequence[float],
    smallest: float,
    alpha: float,
    checks: Sequence[Check],
    verdict: Verdict,
) -> str:
    """Would half or twice the smallest effect of interest have changed the verdict?

    An invalid verdict is neither fragile nor robust: the text is empty.
    """
    if verdict.status == "invalid":
        return ""
    flips = [
        f"{title} with {amount} of it"
        for factor, amount in ((0.5, "half"), (2.0, "twice"))
        if (title := judge(oriented, smallest * factor, alpha, checks).title) != verdict.title
    ]
    if flips:
        return "the verdict depends on the smallest effect: " + "; ".join(flips)
    if verdict.status == "undetermined":
        return "with half or twice the smallest effect it would be undetermined, too"
    return "the verdict would be the same with half or twice the smallest effect"


def checks_of(run: RunRecord, claim: Mapping[str, Any], seen: Effect) -> list[Check]:
    """Preconditions of a claim: the dose arrived, and the base is not at the edge of the range.

    A smoke run fails in any case: its agents have hardly begun to learn.
    """
    if run.scenario.get("smoke"):
        return [Check("smoke run", False, "a fraction of the steps, its numbers mean nothing")]
    lever: Lever = catalogue().load("levers", seen.lever)()
    return [_arrived(run, lever, seen), _headroom(claim, seen)]


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


def _headroom(claim: Mapping[str, Any], seen: Effect) -> Check:
    """Can the claimed effect be seen in the range of the metric?

    The base must not lie within 5 % of the edge of the metric's range that the claim points to, and
    must lie at least the smallest effect away from it. A base at the *other* edge is as far away as
    possible, and an effect seen from there is real (a wrong-goal rate of 1 that falls). Only if the
    treated arm stays at that edge too may the edge hide an effect: then the check fails.
    """
    name, (low, high) = "floor and ceiling", metric(seen.metric).range
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
