"""Rows of the tables in ``docs/objectives.md``: one for every objective and value model of ours.

The reward of a part is written there by hand, in symbols. A part without a row gets one that holds
its summary, until a formula is written.
"""

import re
from typing import Any

from sandbox.catalogue import Part, catalogue


def completed(page: str) -> str:
    """Return the page with the rows that were missing and without those of parts that are gone."""
    page = _with_rows(page, "Objective", "objectives", _objective)
    return _with_rows(page, "Model", "values", _model)


def _with_rows(page: str, head: str, folder: str, row: Any) -> str:
    table = re.search(rf"^\| {head} \|.*\n(?:\|.*\n)*", page, re.MULTILINE)
    if table is None:
        raise LookupError(f"docs/objectives.md has no table whose first column is '{head}'")
    parts = catalogue().parts(folder)
    ours = {name: part for name, part in parts.items() if part.origin == "built in"}
    lines = [each for each in table[0].splitlines() if not _names(each) or _names(each) & set(ours)]
    present = {name for line in lines for name in _names(line)}
    lines += [row(part) for name, part in ours.items() if name not in present]
    return page[: table.start()] + "".join(f"{each}\n" for each in lines) + page[table.end() :]


def _names(row: str) -> set[str]:
    """Parts that a row is about; none in a heading."""
    return set(re.findall(r"`(\w+)`", row.split("|")[1]))


def _objective(part: Part) -> str:
    kind = part.load()
    normaliser = getattr(kind, "normaliser", "-")
    return f"| `{part.name}` | {_words(part)} | {kind.scope} | {normaliser} |"


def _model(part: Part) -> str:
    return f"| `{part.name}` | {part.load().learns_from} | {_words(part)} |"


def _words(part: Part) -> str:
    """Its summary, as a cell of a Markdown table."""
    return part.summary.replace("``", "`").replace("|", "&#124;").rstrip(".")
