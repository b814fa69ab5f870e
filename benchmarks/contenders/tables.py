"""From windows to medians, ratios, verdicts on targets and Markdown; no clock is read here."""

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Window = Mapping[str, float]
"""``round``, ``steps``, CPU ``seconds``; also ``learning``, the part that gradient steps took."""
Windows = Mapping[str, Sequence[Window]]
"""Contender and arm ("numpy plain") -> a window for each round it was asked in."""


@dataclass(frozen=True)
class Target:
    """``fast`` does at least ``least`` times as many steps a second as ``slow``, in ``case``."""

    case: str
    fast: str
    slow: str
    least: float


def rate(window: Window) -> float:
    """Steps a second."""
    return window["steps"] / window["seconds"]


def rates(windows: Windows, who: str) -> list[float]:
    """Steps a second, round by round; empty where it was not asked."""
    return [rate(each) for each in windows.get(who, ())]


def ratio(windows: Windows, fast: str, slow: str) -> float | None:
    """Median over the rounds of the ratio within a round; None where they share none."""
    ours = {each["round"]: rate(each) for each in windows.get(fast, ())}
    theirs = {each["round"]: rate(each) for each in windows.get(slow, ())}
    found = [ours[turn] / theirs[turn] for turn in ours if turn in theirs]
    return statistics.median(found) if found else None


def share(windows: Windows, who: str) -> float | None:
    """Median share of the time that gradient steps took; None where it is not known."""
    found = [each.get("learning", 0.0) / each["seconds"] for each in windows.get(who, ())]
    middle = statistics.median(found) if found else 0.0
    return middle or None


def short_of(results: Mapping[str, Windows], targets: Sequence[Target]) -> list[str]:
    """Print every target beside what was measured; return those that were missed."""
    missed = []
    for each in targets:
        found = ratio(results.get(each.case, {}), each.fast, each.slow)
        what = f"{each.case}: {each.fast} / {each.slow}"
        verdict = (
            "not measured" if found is None else "reached" if found >= each.least else "MISSED"
        )
        print(f"  {what:55} {times(found):>7}, target {each.least:g}x: {verdict}")
        missed += [what] * (verdict == "MISSED")
    return missed


def thousands(found: Sequence[float]) -> str:
    """Median in thousands, three digits; a dash where there is none."""
    if not found:
        return "-"
    middle = statistics.median(found) / 1000
    return f"{middle:.0f}" if middle >= 100 else f"{middle:.1f}"


def spread(found: Sequence[float]) -> str:
    """Least and greatest in thousands."""
    return f"{min(found) / 1000:.1f}-{max(found) / 1000:.1f}" if found else "-"


def times(found: float | None) -> str:
    """A ratio, three digits."""
    if found is None:
        return "-"
    return f"{found:.0f}x" if found >= 100 else f"{found:.1f}x" if found >= 10 else f"{found:.2f}x"


def percent(found: float | None) -> str:
    """A share."""
    return "-" if found is None else f"{found:.0%}"


def markdown(rows: Sequence[Sequence[Any]]) -> str:
    """The first row is the head; all columns but the first are numbers."""
    head, *body = rows
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def put_between_marks(file: Path, name: str, text: str) -> None:
    """Replace what a file has between ``<!-- NAME:begin ... -->`` and ``<!-- NAME:end -->``."""
    page = file.read_text(encoding="utf-8")
    marks = re.compile(rf"(<!-- {name}:begin[^\n]*-->\n).*?(<!-- {name}:end -->)", re.DOTALL)
    if not marks.search(page):
        raise ValueError(f"{file} has no lines <!-- {name}:begin --> and <!-- {name}:end -->")
    page = marks.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page)
    file.write_text(page, encoding="utf-8")
