"""A genome for the terminal: its network in boxes as wide as its layers, its numbers, what changed.

Lines about what is new, gone or changed begin with ``+``, ``-`` or ``~``.
"""

from collections.abc import Iterator, Sequence

from sandbox.pictures.genome_changes import (
    JSON,
    Change,
    aligned,
    changes,
    headline,
    normal,
    value_text,
)
from sandbox.pictures.genome_layout import LayoutRow, editor_rows, rows, rule_rows, value_of
from sandbox.pictures.genome_network import about, guarding, heads, side_by_side, towers, widest

WIDEST, LEAST = 36, 4  # characters of a box
SIGNS = {"": " ", "added": "+", "removed": "-", "changed": "~"}
HIDDEN = 100  # letters of a value


def text(genome: JSON, changed_from: JSON | None = None) -> str:
    """Return the picture; ``changed_from``: another genome, to mark what differs."""
    new = normal(genome)
    old = normal(changed_from) if changed_from is not None else new
    found = changes(changed_from, genome) if changed_from is not None else ()
    lines = [*_network(new, old, found)]
    parts = [
        ("learning rule", rule_rows(new, old, found)),
        ("objective", list(rows("objective", new["objective"], old["objective"], found))),
        ("editor", editor_rows(new, old, found)),
    ]
    for title, each in parts:
        lines += ["", f"  {title}", *_numbers(each)]
    return "\n".join(each.rstrip() for each in lines)


def _network(new: JSON, old: JSON, found: Sequence[Change]) -> Iterator[str]:
    drawn, was = new["architecture"], old["architecture"]
    seen = {each.path: each for each in found}
    yield "  observation"
    for name, rest in (("activation", ""), ("history", 1), ("next_activation", None), ("blend", 0)):
        change = seen.get(f"architecture.{name}")
        if change or drawn[name] != rest:
            value = f"{change.before} → {change.after}" if change else value_text(drawn[name])
            yield f"{SIGNS[change.mark if change else '']} │ {name.replace('_', ' ')} {value}"
    most = widest(new, old)
    for i, j in aligned(was["layers"], drawn["layers"]):
        layer = drawn["layers"][j] if j is not None else was["layers"][i]
        mine = _of(found, "layers", i, j)
        yield from _box(layer, i if j is None else j, mine, most)
    rule = new["learning_rule"]["rule"]
    yield "  ▼"
    yield f"  {'  '.join(f'({each})' for each in heads(rule))}   {towers(rule)}"
    for i, j in aligned(was["guards"], drawn["guards"]):
        guard = drawn["guards"][j] if j is not None else was["guards"][i]
        mine = _of(found, "guards", i, j)
        yield f"{_sign(mine)} guard: {guard['kind']}, {_fields(mine) or guarding(guard)}"


def _of(found: Sequence[Change], what: str, i: int | None, j: int | None) -> list[Change]:
    """The changes of one layer or guard."""
    path = f"architecture.{what}[{i if j is None else j}]"
    whole = [
        each for each in found if each.path == path and (each.mark == "removed") == (j is None)
    ]
    return whole + [each for each in found if j is not None and each.path.startswith(f"{path}.")]


def _sign(mine: Sequence[Change]) -> str:
    if not mine:
        return " "
    return SIGNS[mine[0].mark] if mine[0].path.endswith("]") else "~"


def _fields(mine: Sequence[Change], *but: str) -> str:
    named = [(each.path.rpartition(".")[2], each) for each in mine if not each.path.endswith("]")]
    return ", ".join(f"{k} {each.before} → {each.after}" for k, each in named if k not in but)


def _box(layer: JSON, place: int | None, mine: Sequence[Change], most: float) -> Iterator[str]:
    number = side_by_side(layer)
    wide = max(round(layer["units"] * number / most * WIDEST), LEAST * number)
    each = max(wide // number - 2, 1)
    units = next((x for x in mine if x.path.endswith(".units")), None)
    name = f"{layer['kind']} {units.before} → {units.after}" if units else headline(layer)
    says = ", ".join(filter(None, [f"layer {place}", _fields(mine, "units") or about(layer)]))
    gap = " " * max(WIDEST + 4 - (each + 2) * number, 2)
    middle = "░" if layer["kind"] in {"norm", "skip"} else " "
    sign = _sign(mine)
    yield "  ▼"
    yield f"{sign} {('┌' + '─' * each + '┐') * number}"
    yield f"{sign} {('│' + middle * each + '│') * number}{gap}{name}  ({says})"
    yield f"{sign} {('└' + '─' * each + '┘') * number}"


def _numbers(lines: Sequence[LayoutRow]) -> Iterator[str]:
    width = max((len(row.name) for row in lines), default=0)
    for row in lines:
        value = value_of(row)
        value = value if len(value) <= HIDDEN else f"{value[: HIDDEN - 1]}…"
        sign = SIGNS[row.change.mark if row.change else ""]
        yield f"{sign}   {row.name.replace('_', ' '):{width}}  {value}"
