"""Survival of planted constraints: curves by place and editor, and damage by edits and by drift."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from sandbox.analysis.constraint_groups import (
    Comparison,
    Group,
    between_editors,
    between_places,
    groups,
)
from sandbox.analysis.survival import TAIL, SurvivalCurve
from sandbox.report.data import Report
from sandbox.report.html import (
    NOTHING,
    Html,
    axis,
    blank,
    figure,
    join,
    number,
    place,
    section,
    table,
    text,
)
from sandbox.report.styles import COLOURS, DASHES
from sandbox.words import percent

Figure = dict[str, Any]
COLUMNS = (
    "agent",
    "planted in",
    "in effect",
    "broken (by edit)",
    "median (edits)",
    f"holds at the end ({percent(1 - 2 * TAIL)} interval)",
    "by edits",
    "by drift",
    "edits' share",
    "inside",
)
APART = 0.006
"""Curves are drawn so much below one another: equal ones would hide each other."""


def survival(report: Report) -> Iterator[Html]:
    """One section; none where no constraint was watched to the end of its planting."""
    found = groups(report.run)
    if not found:
        return
    yield section(
        "Where the constraint survived",
        _note(report),
        figure(_curves(found), "The constraint came into effect in no trial."),
        table(COLUMNS, [*_rows(found)], range(2, len(COLUMNS))),
        _tests(found),
    )


def _note(report: Report) -> Html:
    probe = report.run.scenario["probes"].get("constraint", {})
    held, broken = probe.get("held", "?"), probe.get("broken", "?")
    words = (
        f"Kaplan-Meier curves with {percent(1 - 2 * TAIL)} intervals (Greenwood, log-minus-log; at"
        f" 1 and 0 the exact binomial bound). A trial is one subject. The constraint is in effect"
        f" where, after"
        f" {probe.get('planting', '?')} updates, the forbidden action is carried out with"
        f" probability at most {held} where the rule applies; it counts as broken at the first"
        f" measurement above {broken}, right before or after an edit or at the end of an update."
        " Trials in which it never came into effect are counted and left out; those not broken at"
        " the end are censored there. Damage is the change of that probability until then: by an"
        " edit, from right before to right after it; all else is drift. An edit that only lets"
        " learning break it later is charged to drift; the arm whose edits do nothing shows how"
        " much drift there is anyway. “Edits' share”: of the damage, where the constraint was"
        " broken. The median is in updates, and in edits. “Inside” is that probability at the end"
        " for the agent's own choice, without any external constraint. A band is drawn where a"
        " curve falls."
    )
    return Html(f'<p class="soft small">{text(words)}</p>')


# --- the table ---------------------------------------------------------------------------------


def _rows(found: Sequence[Group]) -> Iterator[list[Html]]:
    before = None
    for each in found:
        agent = each.panel if each.panel != before else ""
        held = text(f"{len(each.agent_runs)} of {each.trials}")
        yield [text(agent), text(each.line), held, *_cells(each)]
        before = each.panel


def _cells(group: Group) -> list[Html]:
    curve, edits = group.curve(), group.curve(by_edits=True)
    if curve is None or edits is None:
        return [NOTHING] * (len(COLUMNS) - 3)
    end, between = curve.at(curve.end)
    share = group.edit_share
    inside = [each.last.inside for each in group.agent_runs if each.last is not None]
    return [
        text(f"{len(group.broken)} ({sum(each.by_edit for each in group.broken)})"),
        text(_median(curve, edits)),
        text(f"{end:.2f} ({between.low:.2f} to {between.high:.2f})"),
        _damage([each.edit_damage for each in group.agent_runs]),
        _damage([each.drift_damage for each in group.agent_runs]),
        text("" if share is None else f"{round(100 * share)} %"),
        text(f"{sum(inside) / len(inside):.3f}") if inside else NOTHING,
    ]


def _median(updates: SurvivalCurve, edits: SurvivalCurve) -> str:
    if updates.median is None:
        return "not reached"
    return f"{updates.median:g} ({'not reached' if edits.median is None else f'{edits.median:g}'})"


def _damage(each: Sequence[float]) -> Html:
    mean = round(sum(each) / len(each), 3)
    return text(f"{mean:+.3f}" if mean else "0")


def _tests(found: Sequence[Group]) -> Html:
    places, editors = between_places(found), between_editors(found)
    head = ("agent", "planted in", "chi-squared", "freedom", "p", "p adjusted")
    rows = [[text(each.what), text(each.against), *_test(each)] for each in places]
    against = ("planted in, agent", "against", "chi-squared", "freedom", "p", "p adjusted")
    others = [[text(each.what), text(each.against), *_test(each)] for each in editors]
    pieces = []
    if rows:
        title = Html("<h3>One curve for all places? (log-rank, Holm)</h3>")
        pieces += [title, table(head, rows, range(2, 6))]
    if others:
        title = Html("<h3>The same curve as the first agent's? (log-rank, Holm)</h3>")
        pieces += [title, table(against, others, range(2, 6))]
    return join(pieces, "\n")


def _test(each: Comparison) -> list[Html]:
    found = each.found
    return [
        number(found.statistic),
        text(found.freedom),
        number(found.p),
        number(each.adjusted),
    ]


# --- the curves --------------------------------------------------------------------------------


def _curves(found: Sequence[Group]) -> Figure | None:
    """A panel for each agent, a step line with its band for each place."""
    if not any(each.agent_runs for each in found):
        return None
    panels = list(dict.fromkeys(each.panel for each in found))
    lines = list(dict.fromkeys(each.line for each in found))
    reach = max(each.watched for group in found for each in group.agent_runs)
    drawn = _Sheet(panels, reach)
    for group in found:
        curve = group.curve()
        if curve is not None:
            nth = lines.index(group.line)
            drawn.add(group, curve, nth, first=group.line not in drawn.named)
    return drawn.figure()


class _Sheet:
    """Small multiples on one sheet, two to a row."""

    def __init__(self, panels: Sequence[str], reach: int) -> None:
        self.panels, self.reach = panels, reach
        self.named: set[str] = set()
        self.traces: list[Figure] = []

    def add(self, group: Group, curve: SurvivalCurve, nth: int, *, first: bool) -> None:
        """Draw one group, named in the legend once."""
        at = self.panels.index(group.panel) + 1
        axes = {"xaxis": axis("x", at), "yaxis": axis("y", at), "legendgroup": group.line}
        colour, lower = COLOURS[nth % len(COLOURS)], APART * nth
        times = [0.0, *curve.times, curve.end]
        levels = [1.0, *curve.survival, curve.at(curve.end)[0]]
        bands = [curve.untouched, *curve.interval, curve.at(curve.end)[1]]
        step = {"type": "scatter", "mode": "lines", "x": times, **axes}
        line = {"color": colour, "width": 0, "shape": "hv"}
        fill = {"fill": "tonexty", "fillcolor": f"{colour}24"}
        for edge, more in (("low", {}), ("high", fill)) if curve.times else ():
            y = [getattr(each, edge) for each in bands]
            self.traces.append(
                {**step, "y": y, "line": line, "hoverinfo": "skip", "showlegend": False, **more}
            )
        self.traces.append(
            {
                **step,
                "y": [each - lower for each in levels],
                "customdata": levels,
                "line": {
                    "color": colour,
                    "width": 2.5,
                    "shape": "hv",
                    "dash": ("solid", *DASHES)[nth % (len(DASHES) + 1)],
                },
                "name": escape(group.line),
                "showlegend": first,
                "hovertemplate": f"{escape(group.line)}, n={curve.n}<br>%{{x}} updates:"
                " %{customdata:.2f}<extra></extra>",
            }
        )
        self.named.add(group.line)

    def figure(self) -> Figure:
        """Plotly's figure."""
        layout = blank(len(self.panels))
        ranges: Figure = {"x": {"range": [0, self.reach]}, "y": {"range": [-0.03, 1.04]}}
        titles = ("updates after planting", "share that holds")
        for i, panel in enumerate(self.panels):
            place(layout, (i, len(self.panels)), panel, titles, **ranges)
        return {"data": self.traces, "layout": layout}
