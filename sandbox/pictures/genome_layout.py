"""Where everything of a genome stands in its picture, for the drawing as SVG or in pixels."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sandbox.pictures.genome_changes import JSON, Change, changes, normal, value_text
from sandbox.pictures.genome_network import LABEL_WIDTH, LABELS, TABLES, Network, drawn, widest
from sandbox.pictures.genome_shapes import MINUS, SIGNS, Sheet, Word, wide
from sandbox.words import counted

WIDTH = 1040.0
COLUMN, PITCH = 222.0, 18.0
FIRST, SECOND = LABELS + LABEL_WIDTH + 10, LABELS + LABEL_WIDTH + 10 + COLUMN + 24
TABLE_NUMBERS = frozenset({"rule", "learning_rate", "discount", "learns_from"})
"""The numbers that a tabular learner uses; the others have no effect."""


class LayoutRow(NamedTuple):
    """One number in a column."""

    name: str
    value: Any
    change: Change | None


def plan(
    genome: JSON,
    changed_from: JSON | None = None,
    *,
    heading: str = "",
    names: Sequence[str] | None = None,
    most: float | None = None,
) -> Sheet:
    """Lay a genome out, with what changed since another one marked.

    ``names``: what each layer is called throughout an agent run; ``most``: units of the widest box,
    so that several pictures have one scale.
    """
    new = normal(genome)
    old = normal(changed_from) if changed_from is not None else new
    found = changes(changed_from, genome) if changed_from is not None else ()
    sheet = Sheet(WIDTH)
    top = 12.0
    if heading:
        sheet.add(Word("heading", 16, 24, heading, 15, bold=True))
        top = 44.0
    layers = new["architecture"]["layers"]
    called = names or [f"layer{j}" for j in range(len(layers))]
    scale = most or widest(new, old)
    bottom = Network(sheet, drawn(new), drawn(old), found, called, scale).draw(top)
    ends = [bottom, _rule(sheet, new, old, found, top), _rest(sheet, new, old, found, top)]
    sheet.height = max(ends) + 16
    if changed_from is not None:
        sheet.add(Word("legend", 16, sheet.height + 4, _legend(found), 12, soft=True))
        sheet.height += 14
    return sheet


def _legend(found: Sequence[Change]) -> str:
    if not found:
        return "No difference."
    return (
        f"{counted(len(found), 'difference')}: green + is new, red {MINUS} is gone, amber old → new"
        f" was changed (dashes: the old width). Widths are proportional to units."
    )


def rows(part: str, new: JSON, old: JSON, found: Sequence[Change]) -> Iterator[LayoutRow]:
    """Numbers of a part, in the order of the genome, those that are gone last."""
    seen = {each.path: each for each in found}
    for name in dict.fromkeys((*new, *old)):
        value = new.get(name, old.get(name))
        yield LayoutRow(name, value, seen.get(f"{part}.{name}"))


def rule_rows(new: JSON, old: JSON, found: Sequence[Change]) -> list[LayoutRow]:
    """Numbers of the learning rule that mean something, or have changed."""
    table = new["learning_rule"]["rule"] in TABLES
    every = rows("learning_rule", new["learning_rule"], old["learning_rule"], found)
    return [each for each in every if not table or each.change or each.name in TABLE_NUMBERS]


def editor_rows(new: JSON, old: JSON, found: Sequence[Change]) -> list[LayoutRow]:
    """The editor's name and its settings."""
    name = {"name": new["editor"]["name"]}, {"name": old["editor"]["name"]}
    settings = new["editor"]["settings"], old["editor"]["settings"]
    return [*rows("editor", *name, found), *rows("editor.settings", *settings, found)]


def _rule(sheet: Sheet, new: JSON, old: JSON, found: Sequence[Change], y: float) -> float:
    return _column(sheet, FIRST, y, "Learning rule", rule_rows(new, old, found))


def _rest(sheet: Sheet, new: JSON, old: JSON, found: Sequence[Change], y: float) -> float:
    weights = list(rows("objective", new["objective"], old["objective"], found))
    y = _column(sheet, SECOND, y, "Objective", weights)
    return _column(sheet, SECOND, y + 16, "Editor", editor_rows(new, old, found))


def _column(sheet: Sheet, x: float, y: float, title: str, lines: Sequence[LayoutRow]) -> float:
    sheet.add(Word(f"{title}/title", x, y + 13, title, 13.5, bold=True))
    y += 13 + PITCH + 2
    for row in lines:
        y = _line(sheet, f"{title}/{row.name}", x, y, row)
    return y


def value_of(row: LayoutRow) -> str:
    """``0.1 → 0.2`` of a number that changed, with a sign where it came or went."""
    if row.change is None:
        return value_text(row.value)
    if row.change.mark == "changed":
        return f"{row.change.before} → {row.change.after}"
    return str(row.change.after or row.change.before)


def signed(row: LayoutRow) -> str:
    """The name, readable, with a sign where it came or went."""
    mark = row.change.mark if row.change else ""
    return SIGNS.get(mark, "") + row.name.replace("_", " ")


def _line(sheet: Sheet, key: str, x: float, y: float, row: LayoutRow) -> float:
    """One number; on lines of its own where it does not fit beside the name."""
    change, value = row.change, value_of(row)
    mark = change.mark if change else ""
    idle = change is None and row.value in (0, None)
    name = Word(f"{key}/name", x, y, signed(row), 12, bold=bool(change), soft=not change, mark=mark)
    found = Word(f"{key}/value", x + COLUMN, y, value, 12, "end", bold=bool(change), soft=idle,
                 mark=mark, changes=(change,) if change else ())  # fmt: skip
    sheet.add(name)
    if wide(name.text, name) + wide(value, found) + 8 <= COLUMN:
        sheet.add(found)
        return y + PITCH
    below = Word(f"{key}/value", x + 12, y + 15, "", 12, bold=bool(change), mark=mark, title=value,
                 changes=found.changes)  # fmt: skip
    return sheet.lines(value, COLUMN - 12, below) + 3
