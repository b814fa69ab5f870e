"""Claims whose answer is known, and the placebo: what they come out as may overrule the others."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from sandbox.analysis.effects import effect
from sandbox.record.store import RunRecord
from sandbox.verdicts.judged import JudgedClaim
from sandbox.verdicts.overruling import either_way
from sandbox.verdicts.verdict import Check, invalid, undetermined

PLACEBO = "placebo"


def controlled(
    judged: Sequence[JudgedClaim], placebo: Callable[[JudgedClaim], Iterable[Check]]
) -> list[JudgedClaim]:
    """Overrule the claims of a file by its controls.

    A positive control must come out supported: refuted it makes every claim invalid, undecided it
    makes them undetermined. A negative control, and the placebo on the metric of a claim, must not
    be supported in either direction; ``placebo``: the failed checks of that.
    """
    failed = list(_failed(judged))
    undecided = [
        f"{each.claim}: {each.verdict.title}"
        for each in judged
        if each.role == "positive_control" and each.verdict.status in {"undetermined", "pending"}
    ]
    undecided += [
        f"{each.claim}: nothing was measured"
        for each in judged
        if each.role == "negative_control" and each.effect.n < 2  # noqa: PLR2004
    ]
    return [_overruled(each, [*failed, *placebo(each)], undecided) for each in judged]


def _failed(judged: Sequence[JudgedClaim]) -> Iterator[Check]:
    for each in judged:
        against = each.verdict.kind.endswith("against the claim")
        refuted = against or each.verdict.status in {"refuted", "invalid"}
        if each.role == "positive_control" and refuted:
            yield Check("failed control", False, f"{each.claim}: {each.verdict.title}")
        if each.role == "negative_control" and _moved(each):
            yield Check("failed control", False, f"{each.claim}: changed by {each.change}")


def _moved(control: JudgedClaim) -> bool:
    found, alpha = control.effect.differences.values(), control.verdict.alpha
    return either_way(list(found), control.smallest_effect, alpha)


def _overruled(
    judged: JudgedClaim, checks: Sequence[Check], undecided: Sequence[str]
) -> JudgedClaim:
    if judged.role != "claim":
        return judged
    verdict = judged.verdict
    if checks:
        verdict = invalid(verdict, checks)
    elif undecided:
        why = f"a control is undecided: {'; '.join(undecided)}"
        verdict = undetermined(verdict, "control undecided", why)
    return replace(judged, verdict=verdict)


def placebo_checks(run: RunRecord, n: int, judged: JudgedClaim) -> Iterator[Check]:
    """A failed check for every dose of the placebo with an effect on the metric of this claim."""
    doses = run.scenario["levers"].get(PLACEBO, ())
    if judged.role != "claim" or judged.effect.lever == PLACEBO:
        return
    for dose in doses[1:]:
        seen = effect(run, PLACEBO, judged.metric, judged.effect.env, dose, seeds=n)
        found = list(seen.differences.values())
        if either_way(found, judged.smallest_effect, judged.verdict.alpha):
            yield Check("placebo", False, f"{seen.turned} changes {judged.metric}")
