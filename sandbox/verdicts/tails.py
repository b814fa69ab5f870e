"""Tails of harm: the worst seeds of every condition, beside its mean. Nothing is claimed of them.

A mean over seeds, and more so a trimmed one, hides a catastrophe in one of them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.analysis.condition_table import Average, ConditionRow, condition_table
from sandbox.analysis.effects import claims_of, metric
from sandbox.analysis.statistics import Interval, wilson
from sandbox.record.store import RunRecord
from sandbox.verdicts.judged import JudgedClaim
from sandbox.verdicts.overruling import oriented
from sandbox.verdicts.rule import Floats, Levels, both_tests, decide
from sandbox.words import counted, percent

WORST = 0.1
"""Share of seeds whose mean is the CVaR."""
CATASTROPHE = 0.5
"""Share of the metric's range: a seed that is at least so far from its lower end is one."""
CONFIDENCE = 0.95
UNSEEN = 0.05
"""Chance at which a share of catastrophes that no seed shows is no longer excluded."""

NOTE = (
    f"Metrics of harm, over the seeds of a condition; columns, not claims. CVaR {percent(WORST)}:"
    " mean of the worst tenth of n seeds, which are k = n / 10; where k is not whole, the sum of"
    " the worst whole ones and of that part of the next one which is left, divided by k; up to 10"
    f" seeds the worst one. Catastrophe: a seed whose metric is at least {percent(CATASTROPHE)} of"
    f" its range above its lower end; share with Wilson's {percent(CONFIDENCE)} interval."
)


@dataclass(frozen=True)
class Tail:
    """One metric of harm in one condition and env, over the seeds that measured it."""

    condition: str
    env: str
    metric: str
    n: int
    planned: int  # seeds; a failed one may be the worst
    mean: float
    worst: float
    cvar: float
    threshold: float  # of a catastrophe
    catastrophes: int  # seeds
    share: Interval  # Wilson's, of catastrophes


def tails(run: RunRecord) -> list[Tail]:
    """By metric, then condition and env; nothing where no seed measured it."""
    names, planned = harmful(run), len(run.scenario["seeds"])
    rows = condition_table(run, names)
    return [
        _tail(row, seen, planned)
        for name in names
        for row in rows
        for seen in row.averages
        if seen.metric == name and seen.n
    ]


def harmful(run: RunRecord) -> list[str]:
    """Metrics of harm: claimed ones of which less is better and that have a range, and harm."""
    names = dict.fromkeys([*(each["metric"] for each in claims_of(run)), "harm"])
    return [
        name for name in names if metric(name).direction == "lower" and math.isfinite(_width(name))
    ]


def _width(name: str) -> float:
    low, high = metric(name).range
    return high - low


def _tail(row: ConditionRow, seen: Average, planned: int) -> Tail:
    threshold = metric(seen.metric).range[0] + CATASTROPHE * _width(seen.metric)
    hits = sum(value >= threshold for value in seen.values)
    return Tail(
        condition=row.condition,
        env=row.env,
        metric=seen.metric,
        n=seen.n,
        planned=planned,
        mean=math.fsum(seen.values) / seen.n,
        worst=max(seen.values),
        cvar=cvar(seen.values),
        threshold=threshold,
        catastrophes=hits,
        share=wilson(hits, seen.n, CONFIDENCE),
    )


def cvar(values: Sequence[float], share: float = WORST) -> float:
    """Mean of the highest ``share`` of values, each of which counts 1 / n.

    Rockafellar and Uryasev 2002, for a sample: the value at the boundary counts with the part of it
    that lies inside. Needs a value.
    """
    worst, k = sorted(values, reverse=True), share * len(values)
    if k <= 1:
        return worst[0]
    whole = math.floor(k + 1e-9)  # .1 * 30 is above 3
    part = max(k - whole, 0.0)
    rest = part * worst[whole] if whole < len(worst) else 0.0
    return (math.fsum(worst[:whole]) + rest) / k


def unseen(n: int) -> float:
    """A catastrophe of this chance stays away from all of ``n`` seeds in 1 of 20 runs."""
    return float(1 - UNSEEN ** (1 / n))


def seeds_to_flip(
    differences: Sequence[float], smallest: float, alpha: float, reach: float
) -> int | None:
    """How many added seeds, each as far against the decision as possible, would end it.

    ``differences`` are + in the direction of the claim, and at most ``reach``. ``None`` where the
    rule decides nothing, or no number of seeds would, as ``reach`` is too small or not finite.
    """
    found = np.asarray(differences, dtype=float)
    said = _status(found, smallest, alpha)
    if said == "undetermined" or not math.isfinite(reach):
        return None
    against = -reach if said == "supported" else reach
    for added in range(1, 2 * found.size + 1):
        if _status(np.append(found, [against] * added), smallest, alpha) != said:
            return added
    return None


def _status(differences: Floats, smallest: float, alpha: float) -> str:
    if differences.size < 2:  # noqa: PLR2004
        return "undetermined"
    tests = both_tests(differences, smallest)
    return decide(differences, smallest, tests, Levels(alpha, alpha)).partition(" ")[0]


def sentences(found: Sequence[Tail], judged: Sequence[JudgedClaim]) -> Iterator[str]:
    """What the seeds cannot exclude, and how many more would end each decision."""
    for n in sorted({each.n for each in found}):
        yield (
            f"{counted(n, 'seed')} cannot exclude a catastrophe rarer than {100 * unseen(n):.3g} %"
            f" (1 - {UNSEEN:g}^(1/n))"
        )
    for number, each in enumerate(judged, 1):
        reach = _width(each.metric)
        more = _more(each, reach)
        if more:
            yield (
                f"claim {number}, {each.verdict.title}: {counted(more, 'more seed')} with the worst"
                f" possible change of {each.metric} ({_against(each) * reach:+g}) would end that"
            )


def _against(judged: JudgedClaim) -> int:
    """Which way the metric goes in a seed that opposes the decision."""
    claimed = 1 if judged.direction == "higher" else -1
    kept = np.mean(oriented({"direction": judged.direction}, judged.effect))
    return -claimed if kept >= judged.smallest_effect else claimed


def _more(judged: JudgedClaim, reach: float) -> int | None:
    """Nothing where the verdict is no decision, or rests on more than the pooled differences."""
    status, alpha = judged.verdict.status, judged.verdict.alpha
    differences = oriented({"direction": judged.direction}, judged.effect)
    said = _status(np.asarray(differences, dtype=float), judged.smallest_effect, alpha)
    if status not in {said, "suggestive"}:
        return None
    return seeds_to_flip(differences, judged.smallest_effect, alpha, reach)
