"""Arms compared: every named arm against the first, in every env."""

from collections.abc import Iterator

from sandbox.analysis.arm_comparison import TOGETHER, ArmComparison, Standing, contests
from sandbox.report.data import Report
from sandbox.report.html import Html, interval_bar, number, section, table, text
from sandbox.words import counted, dose_label, percent


def arms(report: Report) -> Iterator[Html]:
    """One section a lever that chooses by name; none where there is no such lever."""
    for each in contests(report.run):
        between = f"{percent(each.confidence)} interval"
        head = ["env", "arm", "first arm", "this arm", "difference", between, "", "n", "outcome"]
        yield section("Arms compared", _note(each), table(head, _rows(each), [2, 3, 4, 5, 7]))


def _note(found: ArmComparison) -> Html:
    words = (
        f"{found.metric.replace('_', ' ').capitalize()} of each arm against"
        f" “{dose_label(found.base)}”, paired by seed."
        f" {counted(found.comparisons, 'interval')} of {percent(found.confidence)}, so that all"
        f" of them hold at once with {percent(TOGETHER)} (Bonferroni); an outcome is stated only"
        " where the interval excludes 0. “Not shown” does not prove that two arms are equal."
    )
    return Html(f'<p class="soft small">{text(words)}</p>')


def _rows(found: ArmComparison) -> Iterator[list[Html]]:
    before = ""
    ends = [abs(x) for each in found.standings for x in (each.low, each.high) if x is not None]
    for each in found.standings:
        env = each.effect.env
        yield [text(env if env != before else ""), *_cells(each, max([*ends, 1e-12]))]
        before = env


def _cells(each: Standing, reach: float) -> list[Html]:
    seen, bar, between = each.effect, Html(""), Html("")
    if each.low is not None and each.high is not None and seen.estimate is not None:
        bar = interval_bar(each.low, each.high, seen.estimate, reach)
        between = Html(f"{number(each.low, sign=True)} to {number(each.high, sign=True)}")
    outcome = text(each.outcome or "too few seeds")
    return [
        text(dose_label(seen.dose)),
        number(seen.base),
        number(seen.treated),
        number(seen.estimate, sign=True),
        between,
        bar,
        text(seen.n),
        Html(f"<b>{outcome}</b>") if each.outcome in {"better", "worse"} else outcome,
    ]
