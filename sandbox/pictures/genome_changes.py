"""What differs between two genomes, field by field, in their JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.record.differences import MISSING, differences, leaves

JSON = Mapping[str, Any]
Pair = tuple[int | None, int | None]
Mark = Literal["", "added", "removed", "changed"]
LAYER = {"kind": "dense", "units": 0, "count": 1, "source": -1, "density": 1.0, "tokens": 1}
ARCHITECTURE = {"activation": "tanh", "next_activation": None, "blend": 0.0, "history": 1}
GUARD = {"kind": "mask", "bound": 20.0, "action": 0, "feature": 0, "threshold": 0.5}
"""What a genome leaves out of its JSON, or may have left out in an old run."""
FIRST = ("learning_rate", "discount", "optimiser")  # what a reader looks for


@dataclass(frozen=True)
class Change:
    """One difference. ``before`` or ``after`` is ``None`` where there was or is nothing.

    ``path``: ``learning_rule.discount``, ``architecture.layers[1].units``; the number of a layer is
    its place in the genome after the change, of a removed one its place before.
    """

    path: str
    before: str | None
    after: str | None

    @property
    def mark(self) -> Mark:
        """How a picture marks it."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def name(self) -> str:
        """The path without the part it lies in."""
        return self.path.partition(".")[2]

    def __str__(self) -> str:
        sign = {"added": "+ ", "removed": "- "}.get(self.mark, "")
        values = " → ".join(each for each in (self.before, self.after) if each is not None)
        return f"{sign}{self.path} {values}"


def normal(genome: JSON) -> dict[str, Any]:
    """The genome with nothing left out and one order of keys: a file's differs from a live one's.

    In old runs the editor was only a name.
    """
    drawn = genome.get("architecture", {})
    rule = dict(genome.get("learning_rule", {}))
    editor = genome.get("editor", "")
    known: JSON = editor if isinstance(editor, Mapping) else {"name": str(editor), "settings": {}}
    return {
        "architecture": {
            "layers": [{**LAYER, **each} for each in drawn.get("layers", ())],
            **{key: drawn.get(key, rest) for key, rest in ARCHITECTURE.items()},
            "guards": [{**GUARD, **each} for each in drawn.get("guards", ())],
        },
        "learning_rule": {
            "rule": rule.pop("rule", "ppo"),
            **{key: rule[key] for key in FIRST if key in rule},
            **{key: rule[key] for key in sorted(rule) if key not in FIRST},
        },
        "objective": dict(sorted(genome.get("objective", {}).items())),
        "editor": {"name": known["name"], "settings": _flat(known["settings"])},
    }


def _flat(settings: JSON) -> dict[str, Any]:
    found = sorted(leaves(settings)) if settings else []
    return {".".join(path): value for path, value in found}


def value_text(value: Any) -> str:
    """A value in few characters; a list without brackets."""
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return f"{value:.4g}" if isinstance(value, float) else str(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value)) or "none"
    return str(value) if isinstance(value, str) else json.dumps(value, sort_keys=True)


def apart(before: Any, after: Any) -> tuple[str, str]:
    """Two values that differ, as texts that differ."""
    was, now = value_text(before), value_text(after)
    if was != now:
        return was, now
    return json.dumps(before, sort_keys=True), json.dumps(after, sort_keys=True)


def aligned(before: Sequence[JSON], after: Sequence[JSON]) -> list[Pair]:
    """Which layer became which: the fewest layers removed, added and changed, old order kept.

    Pairs of places, ``None`` for a layer that was added or removed. A layer stays of its kind.
    """
    best = _costs(before, after)
    pairs: list[Pair] = []
    pair: Pair
    i, j = len(before), len(after)
    while i or j:
        here = best[i][j]
        if j and here == best[i][j - 1] + 1:  # where it is all the same, the new ones come last
            j, pair = j - 1, (None, j - 1)
        elif i and here == best[i - 1][j] + 1:
            i, pair = i - 1, (i - 1, None)
        else:
            i, j, pair = i - 1, j - 1, (i - 1, j - 1)
        pairs.append(pair)
    return pairs[::-1]


def _costs(before: Sequence[JSON], after: Sequence[JSON]) -> list[list[float]]:
    best = [[float(i + j) for j in range(len(after) + 1)] for i in range(len(before) + 1)]
    for i, old in enumerate(before, start=1):
        for j, new in enumerate(after, start=1):
            if old["kind"] == new["kind"]:
                best[i][j] = best[i - 1][j - 1] + _unlike(old, new)
            else:
                best[i][j] = float("inf")
            best[i][j] = min(best[i][j], best[i - 1][j] + 1, best[i][j - 1] + 1)
    return best


def _unlike(old: JSON, new: JSON) -> float:
    """0 for equal layers, else below the cost of removing one and adding the other; dyadic."""
    differ = [each.path for each in differences(old, new)]
    if not differ:
        return 0.0
    return 0.25 if differ == [("source",)] else 0.5 + len(differ) / 16


def changes(before: JSON, after: JSON) -> tuple[Change, ...]:
    """Every difference, in the order architecture, learning rule, objective, editor."""
    old, new = normal(before), normal(after)
    return (*_architecture(old["architecture"], new["architecture"]),
            *_fields("learning_rule", old["learning_rule"], new["learning_rule"]),
            *_fields("objective", old["objective"], new["objective"]),
            *_editor(old["editor"], new["editor"]))  # fmt: skip


def _architecture(old: JSON, new: JSON) -> Iterator[Change]:
    pairs = aligned(old["layers"], new["layers"])
    moved = {i: j for i, j in pairs if i is not None}
    for i, j in pairs:
        was = None if i is None else dict(old["layers"][i])
        if was is not None and j is not None and moved.get(was["source"]) is not None:
            was["source"] = moved[was["source"]]  # the same layer, whose number has changed
        yield from _item("architecture.layers", i, j, was, None if j is None else new["layers"][j])
    scalars = [{k: each[k] for k in ARCHITECTURE} for each in (old, new)]
    yield from _fields("architecture", *scalars)
    for i, j in aligned(old["guards"], new["guards"]):
        pair = [None if at is None else each["guards"][at] for each, at in ((old, i), (new, j))]
        yield from _item("architecture.guards", i, j, *pair)


def _item(
    where: str, i: int | None, j: int | None, was: JSON | None, now: JSON | None
) -> Iterator[Change]:
    path = f"{where}[{i if j is None else j}]"
    if was is not None and now is not None:
        yield from _fields(path, was, now)
    else:
        yield Change(path, headline(was) if was else None, headline(now) if now else None)


def headline(item: JSON) -> str:
    """``dense 32`` of a layer, the kind of a guard."""
    return f"{item['kind']} {item['units']}" if "units" in item else str(item["kind"])


def _fields(where: str, old: JSON, new: JSON) -> Iterator[Change]:
    for path, now, was in differences(new, old):
        whole = ".".join((where, *path))
        if MISSING in (was, now):
            one, other = (None if each is MISSING else value_text(each) for each in (was, now))
            yield Change(whole, one, other)
        else:
            yield Change(whole, *apart(was, now))


def _editor(old: JSON, new: JSON) -> Iterator[Change]:
    yield from _fields("editor", {"name": old["name"]}, {"name": new["name"]})
    yield from _fields("editor.settings", old["settings"], new["settings"])
