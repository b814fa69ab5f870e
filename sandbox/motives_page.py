"""Rows of the tables in ``docs/motives.md``: one for every objective and value model of ours.

What a part pays is written there by hand, in symbols. A part without a row gets one that holds its
summary instead, until somebody writes better.
"""

import re
from typing import Any

from sandbox.catalogue import Part, catalogue


def completed(page: str) -> str:
    """Return the page with the rows that were missing; all others stay as they are."""
    page = _with_rows(page, "Objective", "objectives", _objective)
    return _with_rows(page, "Model", "values", _model)


def _with_rows(page: str, head: str, shelf: str, row: Any) -> str:
    table = re.search(rf"^\| {head} \|.*\n(?:\|.*\n)*", page, re.MULTILINE)
    if table is None:
        raise LookupError(f"the page on motives has no table whose first column is '{head}'")
    cells = "".join(line.split("|")[1] for line in table[0].splitlines())
    named = set(re.findall(r"`(\w+)`", cells))
    ours = [each for each in catalogue().parts(shelf).values() if each.origin == "built in"]
    more = "".join(f"{row(each)}\n" for each in ours if each.name not in named)
    return page[: table.end()] + more + page[table.end() :]


def _objective(part: Part) -> str:
    kind = part.load()
    normaliser = getattr(kind, "normaliser", "-")
    return f"| `{part.name}` | {_words(part)} | {kind.scope} | {normaliser} |"


def _model(part: Part) -> str:
    return f"| `{part.name}` | {part.load().learns_from} | {_words(part)} |"


def _words(part: Part) -> str:
    """Its summary, as a cell of a Markdown table."""
    return part.summary.replace("``", "`").replace("|", "&#124;").rstrip(".")
