"""How arms are distinguished in figures: colour first, then dash and mark once colours run out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Drawn = dict[str, Any]

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8a6d3b")
"""Six of Okabe and Ito (2008) that show on white and on black, and a brown."""
DASHES = ("dot", "dash", "dashdot", "longdash", "12px,3px,2px,3px,2px,3px")
MARKERS = (
    "diamond",
    "square",
    "triangle-up",
    "pentagon",
    "hexagon",
    "cross",
    "circle",
    "triangle-down",
    "hourglass",
    "hexagram",
    "bowtie",
)
FILLS = ("", "-open", "-dot", "-open-dot")
MARKS_A_LINE = 9


@dataclass(frozen=True)
class Style:
    """Look of one arm; ``turn`` counts how often the colours were used up before it."""

    colour: str
    dash: str
    mark: str  # "" in the first turn: colour is enough
    turn: int

    def line(self, width: float) -> Drawn:
        """Of a trace: its line, with some marks on it where colour alone is ambiguous."""
        line = {"color": self.colour, "width": width, "dash": self.dash}
        if not self.mark:
            return {"mode": "lines", "line": line}
        marker = {
            "symbol": self.mark,
            "size": 8,
            "color": self.colour,
            "maxdisplayed": MARKS_A_LINE,
        }
        return {"mode": "lines+markers", "line": line, "marker": marker}


def seen(trace: Drawn) -> Drawn:
    """The same; a line of a single point is no line, so that is marked."""
    return {**trace, "mode": "lines+markers"} if len(trace["x"]) == 1 else trace


def style(place: int) -> Style:
    """Style of the arm at this place in a list; no two of the first 385 look alike."""
    turn, at = divmod(place, len(COLOURS))
    if not turn:
        return Style(COLOURS[at], "solid", "", 0)
    dash, mark = DASHES[(turn - 1) % len(DASHES)], MARKERS[(turn - 1) % len(MARKERS)]
    return Style(COLOURS[at], dash, mark, turn)


def styles(conditions: Sequence[str]) -> Mapping[str, Style]:
    """Condition -> its style in every figure."""
    return {name: style(place) for place, name in enumerate(conditions)}


def symbol(turn: int, env: int, envs: int) -> str:
    """Shape of a mean on a plane: by env, filled by turn; by turn where there is one env."""
    if envs == 1:
        shape, fill = turn, turn // len(MARKERS)
    else:
        shape, fill = env + envs * (turn // len(FILLS)), turn
    return MARKERS[shape % len(MARKERS)] + FILLS[fill % len(FILLS)]


def repeats(conditions: Sequence[str]) -> str:
    """A sentence for the reader where there are more arms than colours."""
    if len(conditions) <= len(COLOURS):
        return ""
    return (
        f" Colours repeat after {len(COLOURS)} arms; from then on lines are dashed and carry marks."
    )
