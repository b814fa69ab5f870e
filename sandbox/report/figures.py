"""Report data -> plotly figures as plain JSON; colours of text and grid come from the page."""

import math
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

from sandbox.analysis.effects import metric
from sandbox.report.data import Cell, Curve, Lineage, Report
from sandbox.report.styles import DASHES, Style, seen, styles, symbol

Figure = dict[str, Any]


def plane(report: Report) -> Figure | None:
    """Capability against safety: a dot a seed, a mean with its interval a condition and env."""
    if not report.cells:
        return None
    looks = styles(report.conditions)
    # The base is drawn last, on top: conditions that change nothing would hide it.
    traces = [
        trace
        for cell in reversed(report.cells)
        for trace in _cell(
            cell,
            looks[cell.condition].colour,
            _shape(report, cell, looks[cell.condition]),
            _called(report, cell),
        )
    ]
    safe = f"safety (1 - {escape(report.safety_metric.replace('_', ' '))})"
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": "capability"}, "range": [-0.05, 1.05]},
            "yaxis": {"title": {"text": safe}, "range": [-0.05, 1.05]},
            "height": 460,
            "legend": {"traceorder": "reversed"},
            "annotations": [_CORNER],
        },
    }


_CORNER = {  # above the plot, where no point can lie
    "xref": "paper",
    "yref": "paper",
    "x": 1,
    "y": 1,
    "text": "capable and safe ↗",
    "showarrow": False,
    "xanchor": "right",
    "yanchor": "bottom",
    "opacity": 0.7,
}


def _shape(report: Report, cell: Cell, look: Style) -> str:
    if len(report.envs) == 1 and cell.condition == report.base:
        return "star"
    return symbol(look.turn, report.envs.index(cell.env), len(report.envs))


def _called(report: Report, cell: Cell) -> str:
    return f"{cell.condition} · {cell.env}" if len(report.envs) > 1 else cell.condition


def _cell(cell: Cell, colour: str, shape: str, called: str) -> list[Figure]:
    name = escape(called)
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": [able for _, able, _ in cell.points],
        "y": [safe for _, _, safe in cell.points],
        "text": [f"{name}, seed {seed}" for seed, _, _ in cell.points],
        "hovertemplate": "%{text}<br>capability %{x:.3f}<br>safety %{y:.3f}<extra></extra>",
        "marker": {"color": colour, "size": 7, "opacity": 0.45},
        "legendgroup": name,
        "showlegend": False,
    }
    star = {
        "type": "scatter",
        "mode": "markers",
        "x": [cell.capability.mean],
        "y": [cell.safety.mean],
        "name": f"{name} (n={len(cell.points)})",
        "hovertemplate": f"{name}<br>mean (%{{x:.3f}}, %{{y:.3f}})<extra></extra>",
        "marker": {
            "color": colour,
            "size": 15,
            "symbol": shape,
            "line": {"width": 1, "color": "white"},
        },
        "legendgroup": name,
    }
    for key, axis in (("error_x", cell.capability), ("error_y", cell.safety)):
        if axis.interval:
            star[key] = {
                "type": "data",
                "array": [axis.interval.high - axis.mean],
                "color": colour,
                "thickness": 2,
            }
    return [dots, star]


def learning(report: Report, env: str) -> Figure | None:
    """Training return in one env over steps, the edits marked where they were proposed."""
    found = _curves(report, _of(env, report.returns), "training return", _of(env, report.by_agent))
    if found is None:
        return None
    found["data"] += _edit_marks(report, env)
    return found


def held_out(report: Report, name: str, env: str) -> Figure | None:
    """A metric at each probe in one env: ``capability`` or the safety metric."""
    curves = report.capability if name == "capability" else report.safety
    found = _curves(report, _of(env, curves), name.replace("_", " "))
    if found is not None:
        found["layout"]["showlegend"] = False  # it stands above, at the training return
        low, high = metric(name).range
        if math.isfinite(high - low):
            found["layout"]["yaxis"]["range"] = [low - 0.05, high + 0.05]
    return found


def _of(env: str, curves: Sequence[Curve]) -> list[Curve]:
    return [curve for curve in curves if curve.env == env]


def dashes(report: Report) -> dict[str, str]:
    """Agent -> how its line is dashed; empty where every trial has one agent."""
    agents = sorted({curve.agent for curve in report.by_agent})
    return {agent: DASHES[i % len(DASHES)] for i, agent in enumerate(agents)}


def _curves(
    report: Report, curves: Sequence[Curve], title: str, by_agent: Sequence[Curve] = ()
) -> Figure | None:
    """Thick: a condition's mean; thin: its seeds, or their agents where there are several."""
    drawn = [curve for curve in curves if curve.x]
    if not drawn:
        return None
    looks = styles(report.conditions)
    of = dashes(report)
    apart = {curve.trial for curve in by_agent}
    thin = [*(curve for curve in drawn if curve.trial not in apart), *by_agent]
    traces = [_thin(curve, looks[curve.condition].colour, of.get(curve.agent)) for curve in thin]
    for name in report.conditions:
        mine = [curve for curve in drawn if curve.condition == name]
        if mine:
            traces.append(_mean(mine, looks[name]))
    layout = {
        "xaxis": {"title": {"text": "environment steps"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": escape(title)}},
        "height": 340,
    }
    return {"data": traces, "layout": layout}


def _thin(curve: Curve, colour: str, dash: str | None) -> Figure:
    return seen(
        {
            "type": "scatter",
            "mode": "lines",
            "x": curve.x,
            "y": curve.y,
            "line": {"color": colour, "width": 1, "dash": dash or "solid"},
            "opacity": 0.5 if dash else 0.3,
            "hoverinfo": "skip",
            "legendgroup": escape(curve.condition),
            "showlegend": False,
        }
    )


def _mean(curves: Sequence[Curve], look: Style) -> Figure:
    """Mean over the seeds that have a point at that step."""
    at: dict[int, list[float]] = {}
    for curve in curves:
        for x, y in zip(curve.x, curve.y, strict=True):
            at.setdefault(x, []).append(y)
    name = escape(curves[0].condition)
    return seen(
        {
            "type": "scatter",
            **look.line(3),
            "x": sorted(at),
            "y": [sum(at[x]) / len(at[x]) for x in sorted(at)],
            "name": name,
            "hovertemplate": f"{name}: %{{y:.3f}} at %{{x}}<extra></extra>",
            "legendgroup": name,
        }
    )


def _edit_marks(report: Report, env: str) -> list[Figure]:
    """Applied edits as triangles, rejected ones as crosses, on their own trial's curve."""
    curve_of = {each.trial: each for each in _of(env, report.returns) if each.x}
    marks: dict[bool, list[tuple[int, float, str]]] = {True: [], False: []}
    for line in report.lineages:
        if line.trial not in curve_of:
            continue
        curve = curve_of[line.trial]
        for edit in line.edits:
            nearest = min(range(len(curve.x)), key=lambda i: abs(curve.x[i] - edit.steps))
            label = f"{edit.edit} · {line.condition}, seed {line.seed}, {line.agent}"
            marks[edit.applied].append((edit.steps, curve.y[nearest], escape(label)))
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [x for x, _, _ in found],
            "y": [y for _, y, _ in found],
            "text": [text for _, _, text in found],
            "hovertemplate": "%{text}<extra></extra>",
            "name": "edit applied" if applied else "edit rejected",
            "marker": {
                "symbol": "triangle-up" if applied else "x-thin",
                "size": 9,
                "color": "#64748b",
                "line": {"width": 1.5, "color": "#64748b"},
            },
        }
        for applied, found in marks.items()
        if found
    ]


def lineage(report: Report) -> Figure | None:
    """Parameters of every agent over steps: where the agents made themselves larger or smaller."""
    drawn = [line for line in report.lineages if line.x]
    if not drawn:
        return None
    looks = styles(report.conditions)
    ordered = sorted(drawn, key=lambda line: report.conditions.index(line.condition))
    traces = []
    for condition, lines in groupby(ordered, key=lambda line: line.condition):
        traces += [_size(line, looks[condition], first=i == 0) for i, line in enumerate(lines)]
    layout = {
        "xaxis": {"title": {"text": "environment steps"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "parameters"}, "rangemode": "tozero", "tickformat": ",d"},
        "height": 320,
    }
    return {"data": traces, "layout": layout}


def _size(line: Lineage, look: Style, *, first: bool) -> Figure:
    name = escape(line.condition)
    label = f"{name}, seed {line.seed}, {escape(line.agent)}"
    drawn = look.line(2)
    drawn["line"]["shape"] = "hv"
    return {
        "type": "scatter",
        **drawn,
        "x": line.x,
        "y": line.parameters,
        "opacity": 0.6,
        "name": name,
        "legendgroup": name,
        "showlegend": first,
        "hovertemplate": f"{label}: %{{y}} parameters<extra></extra>",
    }
