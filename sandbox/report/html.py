"""Small pieces of HTML. Whatever comes from a user, a scenario or a file goes through ``text``.

Small multiples: where the panels of a sheet lie, two to a row.
"""

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, NewType

from sandbox.words import digits

Html = NewType("Html", str)
"""Markup that is ready for the page; plain ``str`` is not."""

NOTHING = Html('<span class="soft" title="not measured">not measured</span>')


def text(value: object) -> Html:
    """Escape anything for use between tags and in quoted attributes."""
    return Html(escape(str(value), quote=True))


def join(pieces: Iterable[Html], between: str = "") -> Html:
    """Concatenate markup."""
    return Html(between.join(pieces))


def number(value: float | None, *, sign: bool = False) -> Html:
    """Three significant digits, whole thousands; never 0 for what was not measured."""
    return NOTHING if value is None else text(digits(value, sign=sign))


def section(title: str, *content: Html, kind: str = "") -> Html:
    """A card with a heading."""
    inside = join(content, "\n")
    return Html(f'<section class="{text(kind)}"><h2>{text(title)}</h2>\n{inside}\n</section>')


def table(head: Sequence[str], rows: Iterable[Sequence[Html]], numbers: Iterable[int] = ()) -> Html:
    """A table that scrolls sideways where the page is too narrow; ``numbers``: flush right."""
    right = set(numbers)

    def cell(tag: str, i: int, content: str) -> str:
        return f'<{tag} class="{"number" if i in right else "wrap"}">{content}</{tag}>'

    top = "".join(cell("th", i, text(each)) for i, each in enumerate(head))
    body = "".join(
        f"<tr>{''.join(cell('td', i, each) for i, each in enumerate(row))}</tr>\n" for row in rows
    )
    made = f"<table><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table>"
    return Html(f'<div class="scroll" tabindex="0">{made}</div>')


def bullets(items: Iterable[object]) -> Html:
    """An unordered list of plain sentences."""
    return Html(
        '<ul class="plain">' + "".join(f"<li>{text(each)}</li>" for each in items) + "</ul>"
    )


def figure(plot: dict[str, Any] | None, otherwise: str) -> Html:
    """A place for a plot with its data beside it, or a sentence where there is nothing to draw."""
    if plot is None:
        return Html(f'<p class="soft">{text(otherwise)}</p>')
    return Html(f'<div class="figure"></div><script type="application/json">{data(plot)}</script>')


def data(value: Any) -> Html:
    """JSON that cannot end the script element it stands in."""
    encoded = json.dumps(value, sort_keys=True, allow_nan=False)
    return Html(encoded.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def folded(title: str, content: Html) -> Html:
    """Content that opens on a click."""
    return Html(f"<details><summary>{text(title)}</summary>{content}</details>")


def pre(content: str) -> Html:
    """Preformatted text."""
    return Html(f"<pre>{text(content)}</pre>")


def interval_bar(low: float, high: float, estimate: float, reach: float) -> Html:
    """Draw an interval around its estimate on an axis from ``-reach`` to ``reach``, 0 marked."""

    def x(value: float) -> float:
        return round(75 + 70 * max(-1.0, min(1.0, value / reach if reach else 0.0)), 1)

    return Html(
        f'<svg class="interval" viewBox="0 0 150 16" role="img" aria-label="interval">'
        f'<line x1="75" x2="75" y1="1" y2="15" stroke="currentColor" opacity=".35"/>'
        f'<line x1="{x(low)}" x2="{x(high)}" y1="8" y2="8" stroke="var(--accent)"'
        f' stroke-width="3"/>'
        f'<circle cx="{x(estimate)}" cy="8" r="4" fill="var(--accent)"/></svg>'
    )


Figure = dict[str, Any]
TO_THE_SIDE = 2
ROW = 250  # pixels
BETWEEN = 0.25  # of a row: numbers of an axis, and the next heading


def axis(name: str, number: int) -> str:
    """Plotly numbers axes from the second on."""
    return name if number == 1 else f"{name}{number}"


def blank(panels: int) -> Figure:
    """Layout of a sheet on which nothing has been placed yet."""
    return {"height": 90 + ROW * -(-panels // TO_THE_SIDE), "annotations": []}


def place(
    layout: Figure,
    at: tuple[int, int],
    heading: str,
    titles: tuple[str, str],
    below: str = "",
    **ranges: Any,
) -> None:
    """Put panel ``at`` = (which, of how many) on the sheet.

    ``titles`` are drawn once: below the last panel of a column, and beside the first one of a row.
    ``below``: a line in small print between heading and panel. ``ranges``: ``x`` and ``y``, as axis
    settings.
    """
    i, panels = at
    rows = -(-panels // TO_THE_SIDE)
    row, column = divmod(i, TO_THE_SIDE)
    width = 1.0 if panels == 1 else 0.47
    pitch = 1 / (rows - BETWEEN)
    left, top = column * (1 - width), 1 - row * pitch
    bottom = max(top - pitch * (1 - BETWEEN), 0.0)
    last = i + TO_THE_SIDE >= panels
    layout[axis("xaxis", i + 1)] = {
        "domain": [left, left + width],
        "anchor": axis("y", i + 1),
        "title": {"text": escape(titles[0]) if last else ""},
        **ranges.get("x", {}),
    }
    layout[axis("yaxis", i + 1)] = {
        "domain": [bottom, top],
        "anchor": axis("x", i + 1),
        "title": {"text": escape(titles[1]) if column == 0 else ""},
        **ranges.get("y", {}),
    }
    annotation = {"xref": "paper", "yref": "paper", "x": left, "y": top, "showarrow": False}
    small = f'<br><span style="font-size:12px">{escape(below)}</span>' if below else ""
    words = f"<b>{escape(heading)}</b>{small}"
    annotation |= {"xanchor": "left", "yanchor": "bottom", "align": "left", "text": words}
    layout["annotations"].append(annotation)
