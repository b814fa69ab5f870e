"""Doses of a lever: numbers as dose and response, a panel a metric; names as arms compared."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from sandbox.analysis.arm_comparison import TOGETHER, ArmComparison, Standing, contests
from sandbox.analysis.doses import DoseResponse, dose_responses
from sandbox.analysis.effects import metric
from sandbox.report.data import Report
from sandbox.report.html import (
    Figure,
    Html,
    axis,
    blank,
    figure,
    interval_bar,
    number,
    place,
    section,
    table,
    text,
)
from sandbox.report.styles import COLOURS
from sandbox.words import counted, dose_label, percent

CLEAR = 0.05
"""p of a trend up to which the caption names its direction; it is no verdict."""

MOST_PANELS = 12  # of one lever in one env
MOST_ENVS = 4
COLOUR = COLOURS[0]
MARGIN = 0.05  # of an axis, left free at either end
STEPPED = 0.3  # of the distance between two doses, left free beside the first and the last


def doses(report: Report) -> Iterator[Html]:
    """One section a lever; none where every lever has two doses, or names."""
    measured = [each for each in dose_responses(report.run) if any(x.n for x in each.points)]
    for lever, found in groupby(measured, key=lambda each: each.lever):
        yield section(f"Doses of {lever}", *_content(report, list(found)))


def _content(report: Report, found: Sequence[DoseResponse]) -> Iterator[Html]:
    several = len(report.envs) > 1
    shown = report.envs[:MOST_ENVS] if several else ("all",)
    left = len(report.envs) - len(shown)
    sheets = {env: [each for each in found if each.env == env] for env in shown}
    most = max(map(len, sheets.values()))
    cut = f" {left} more envs are not drawn." if left else ""
    if most > MOST_PANELS:
        cut += f" The first {MOST_PANELS} of {most} metrics are drawn."
    yield _note(found, cut, averaged=_averaged(report))
    for env, mine in sheets.items():
        if several:
            yield Html(f"<h3>{text(env)}</h3>")
        yield figure(_sheet(mine[:MOST_PANELS]), "No trial measured anything.")


def _averaged(report: Report) -> bool:
    """Does a seed hold several trials of a dose, in one env?"""
    scenario = report.run.scenario
    turned = [doses for doses in scenario["levers"].values() if len(doses) > 1]
    return scenario["design"] == "full" and len(turned) > 1


def _note(found: Sequence[DoseResponse], cut: str, *, averaged: bool) -> Html:
    mean = " (within it, the mean over the doses of the other levers)" if averaged else ""
    words = (
        "Thick: mean of the seeds, with a bar for its"
        f" {percent(found[0].confidence)} interval, which is of the level and not of a difference;"
        f" thin: each seed{mean}. Doses stand as the"
        " scenario writes them, equally far apart. Trend: Page's test for ordered alternatives, two"
        " sides, over seeds measured at every dose; not adjusted for the number of panels, and no"
        f" verdict.{cut}"
    )
    return Html(f'<p class="soft small">{text(words)}</p>')


def _sheet(found: Sequence[DoseResponse]) -> Figure | None:
    """One panel a metric: claimed ones first, then those that the scenario lists."""
    if not found:
        return None
    layout, traces = {**blank(len(found)), "showlegend": False}, []
    for i, each in enumerate(found):
        labels = [dose_label(point.dose) for point in each.points]
        last = len(labels) - 1
        x = {
            "tickvals": [*range(len(labels))],
            "ticktext": labels,
            "range": [-STEPPED, last + STEPPED],
            "zeroline": False,
        }
        ranges = {"x": x, "y": _range(each)}
        name = each.metric.replace("_", " ")
        titles = (each.lever.replace("_", " "), "")
        place(layout, (i, len(found)), name, titles, below=_caption(each), **ranges)
        axes = {"xaxis": axis("x", i + 1), "yaxis": axis("y", i + 1)}
        traces += [{**trace, **axes} for trace in (*_seeds(each, labels), _mean(each, labels))]
    return {"data": traces, "layout": layout}


def _caption(found: DoseResponse) -> str:
    """``lower is better · falling trend, p = 0.0013, 6 seeds``."""
    direction, trend = metric(found.metric).direction, found.trend
    better = "" if direction == "neutral" else f"{direction} is better · "
    if trend.p is None:
        return f"{better}no trend test: {trend.reason}"
    way = {"higher": "rising trend", "lower": "falling trend"}.get(trend.towards, "")
    way = way if trend.p <= CLEAR else "no clear trend"
    p = f"p = {trend.p:.2g}" if trend.exact else f"p about {trend.p:.2g}"
    return f"{better}{way}, {p}, {counted(trend.n, 'seed')}"


def _range(found: DoseResponse) -> Figure:
    """All of what is drawn, and all of the metric's range where that is 0 to 1."""
    low, high = metric(found.metric).range
    if (low, high) != (0, 1):
        return {"exponentformat": "e", "zeroline": False}
    ends = [x for each in found.points for x in (each.low, each.high) if x is not None]
    low, high = min([low, *ends]), max([high, *ends])
    return {"range": [low - MARGIN * (high - low), high + MARGIN * (high - low)], "zeroline": False}


def _seeds(found: DoseResponse, labels: Sequence[str]) -> Iterator[Figure]:
    """A faint line a seed, broken where a dose was not measured."""
    for seed in sorted({seed for point in found.points for seed in point.values}):
        yield {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [*range(len(labels))],
            "y": [point.values.get(seed) for point in found.points],
            "text": [f"seed {seed}, {found.lever} {label}" for label in labels],
            "hovertemplate": "%{text}: %{y:.4g}<extra></extra>",
            "line": {"color": COLOUR, "width": 1},
            "marker": {"size": 4},
            "opacity": 0.4,
        }


def _mean(found: DoseResponse, labels: Sequence[str]) -> Figure:
    ends = [
        (0.0, 0.0)
        if each.mean is None or each.low is None or each.high is None
        else (each.mean - each.low, each.high - each.mean)
        for each in found.points
    ]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [*range(len(labels))],
        "y": [point.mean for point in found.points],
        "text": [
            f"{found.lever} {label}, mean of {counted(point.n, 'seed')}"
            for label, point in zip(labels, found.points, strict=True)
        ],
        "hovertemplate": "%{text}: %{y:.4g}<extra></extra>",
        "line": {"color": COLOUR, "width": 3},
        "marker": {"size": 8},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [above for _, above in ends],
            "arrayminus": [below for below, _ in ends],
            "color": COLOUR,
            "thickness": 2,
            "width": 6,
        },
    }


# --- doses that are names ------------------------------------------------------------------------


def arms(report: Report) -> Iterator[Html]:
    """One section a lever that chooses by name; none where there is no such lever."""
    for each in contests(report.run):
        between = f"{percent(each.confidence)} interval"
        head = ["env", "arm", "first arm", "this arm", "difference", between, "", "n", "outcome"]
        yield section(
            "Arms compared", _arms_note(each), table(head, _arm_rows(each), [2, 3, 4, 5, 7])
        )


def _arms_note(found: ArmComparison) -> Html:
    words = (
        f"{found.metric.replace('_', ' ').capitalize()} of each arm against"
        f" “{dose_label(found.base)}”, paired by seed."
        f" {counted(found.comparisons, 'interval')} of {percent(found.confidence)}, so that all"
        f" of them hold at once with {percent(TOGETHER)} (Bonferroni); an outcome is stated only"
        " where the interval excludes 0. “Not shown” does not prove that two arms are equal."
    )
    return Html(f'<p class="soft small">{text(words)}</p>')


def _arm_rows(found: ArmComparison) -> Iterator[list[Html]]:
    before = ""
    ends = [abs(x) for each in found.standings for x in (each.low, each.high) if x is not None]
    for each in found.standings:
        env = each.effect.env
        yield [text(env if env != before else ""), *_arm_cells(each, max([*ends, 1e-12]))]
        before = env


def _arm_cells(each: Standing, reach: float) -> list[Html]:
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
