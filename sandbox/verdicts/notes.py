"""What is said beside a verdict: capability, seeds left out, the part of the smallest effect."""

from collections.abc import Iterator, Mapping, Sequence

from sandbox.analysis.effects import Effect, pairs_of, state
from sandbox.record.events import Updated
from sandbox.record.store import RunRecord, TrialRecord
from sandbox.verdicts.evidence import Evidence
from sandbox.verdicts.rule import Levels
from sandbox.verdicts.verdict import Check, Verdict, judge
from sandbox.words import bracketed, dose_label, percent

LESSONS = "lessons"  # loss that counts what an objective was shown by another agent


def figures_of(verdict: Verdict) -> Iterator[str]:
    """How fine the seeds resolve the smallest effect, and the checks that saw nothing."""
    if verdict.resolution is not None:
        yield f"resolution: the smallest effect is {verdict.resolution:.2g} standard errors"
    for each in verdict.checks:
        if each.passed is None:
            yield f"{each.name} is inconclusive: {each.detail}"


def notes_of(run: RunRecord, seen: Effect, seeds: int, arms: Evidence) -> Iterator[str]:
    """Notes beside the verdict: the change in capability, and seeds left out."""
    yield from capability_note(seen, arms)
    yield from _without_samples(run, seen, seeds)
    for each in missing_note(seen):
        yield each + _lost(run, seen, seeds)


def missing_note(seen: Effect) -> Iterator[str]:
    """How many seeds the numbers leave out, if any."""
    if seen.missing:
        yield f"{len(seen.missing)} of {len(seen.missing) + seen.n} seeds could not be compared"


def capability_note(seen: Effect, arms: Evidence) -> Iterator[str]:
    """What the arms differ by in capability, where that was measured."""
    able = arms.effect("capability", seen.env)
    if seen.metric != "capability" and able.base is not None and able.treated is not None:
        note = f"capability went from {able.base:.3g} to {able.treated:.3g}"
        if able.estimate is not None and able.low is not None and able.high is not None:
            between = bracketed(able.estimate, able.low, able.high)
            note += f" ({between}, {percent(able.confidence)} interval)"
            safer = arms.less_is_better(seen.metric) and (seen.estimate or 0.0) < 0
            if able.high < 0 and safer:
                note += "; lower capability alone may explain less harm"
        yield note


def _without_samples(run: RunRecord, seen: Effect, seeds: int) -> Iterator[str]:
    """Objectives that learn from another agent and were never shown anything, in any seed."""
    found = pairs_of(run, seen.lever, seen.env, seen.dose, seeds).values()
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


def _lost(run: RunRecord, seen: Effect, seeds: int) -> str:
    """Failed trials by arm; where a dose makes trials fail, the remaining seeds may be biased."""
    pairs = pairs_of(run, seen.lever, seen.env, seen.dose, seeds)
    lost = [pair for seed in seen.missing for pair in pairs[seed]]
    base, treated = (sum(state(pair[arm]) == "failed" for pair in lost) for arm in (0, 1))
    if base == treated:
        return ""
    note = f": {base} trials failed at {dose_label(seen.base_dose)}, {treated}"
    note += f" at {dose_label(seen.dose)}"
    return f"{note}; the remaining seeds may be a biased sample"


def fragility(
    oriented: Sequence[float],
    smallest: float,
    levels: Levels,
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
        if (title := _title(oriented, smallest * factor, levels, checks)) != verdict.title
    ]
    if flips:
        return "the verdict depends on the smallest effect: " + "; ".join(flips)
    if verdict.status == "undetermined":
        return "with half or twice the smallest effect it would be undetermined, too"
    return "the verdict would be the same with half or twice the smallest effect"


def _title(
    oriented: Sequence[float], smallest: float, levels: Levels, checks: Sequence[Check]
) -> str:
    return judge(oriented, smallest, max(levels), checks, levels).title
