"""Small multiples: where the panels of a sheet lie, two to a row."""

from html import escape
from typing import Any

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
    layout: Figure, at: tuple[int, int], heading: str, titles: tuple[str, str], **ranges: Any
) -> None:
    """Put panel ``at`` = (which, of how many) on the sheet.

    ``titles`` are told once: below the last panel of a column, and beside the first one of a row.
    ``ranges``: ``x`` and ``y``, as axis settings.
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
    told = {"xref": "paper", "yref": "paper", "x": left, "y": top, "showarrow": False}
    told |= {"xanchor": "left", "yanchor": "bottom", "text": f"<b>{escape(heading)}</b>"}
    layout["annotations"].append(told)
