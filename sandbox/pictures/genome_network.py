"""The network of a genome as a drawing: observation, layers, heads, guards, from top to bottom."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.pictures.genome_changes import JSON, Change, Mark, aligned, headline, value_text
from sandbox.pictures.genome_shapes import SIGNS, Box, Line, Sheet, Word

MIDDLE, WIDEST = 222.0, 196.0  # pixels: the stream, and the box of the most units
LABELS, LABEL_WIDTH = 336.0, 208.0
GAP, BOX, GATE = 20.0, 30.0, 14.0
LEAST = 8.0
MOST_DRAWN = 16  # boxes of one layer
TABLES = frozenset({"q_learning", "sarsa", "expected_sarsa"})
HEADS: Mapping[str, tuple[str, ...]] = {
    "dqn": ("q",),
    "ppo_two_streams": ("policy", "value", "intrinsic_value"),
    "sac": ("policy", "q0", "q1"),
    "supervised": ("policy",),
}
RESIDUAL = frozenset({"residual", "attention", "memory"})
"""Kinds that add to the stream instead of replacing it."""


def heads(rule: str) -> tuple[str, ...]:
    """What the towers of a learner give."""
    return HEADS.get(rule, ("action values",) if rule in TABLES else ("policy", "value"))


def side_by_side(layer: JSON) -> int:
    """Boxes that a layer is drawn as."""
    parallel = layer["kind"] in {"mixture", "attention"}
    return min(max(int(layer["count"]), 1), MOST_DRAWN) if parallel else 1


def widest(*genomes: JSON) -> float:
    """The most units that any layer has in all its boxes together; 1 where there are no layers."""
    layers = [each for genome in genomes for each in genome["architecture"]["layers"]]
    return max([each["units"] * side_by_side(each) for each in layers], default=1) or 1


def about(layer: JSON) -> str:
    """What a layer is, besides its kind and its units."""
    source = layer["source"]
    return {
        "dense": f"keeps {layer['density']:.3g} of its edges" if layer["density"] < 1 else "",
        "residual": "added to the stream",
        "norm": "layer normalisation",
        "skip": f"gated, from {'the observation' if source < 0 else f'layer {source}'}",
        "mixture": f"{layer['count']} experts, soft gate",
        "injected": f"frozen, {layer['count']} injected",
        "attention": f"{layer['count']} heads over {layer['tokens']} tokens",
        "memory": "recurrent, reads the history",
    }.get(layer["kind"], "")


def guarding(guard: JSON) -> str:
    """What a guard does, in words."""
    if guard["kind"] == "mask":
        where = f"observation {guard['feature']} ≥ {value_text(guard['threshold'])}"
        return f"action {guard['action']} by -{value_text(guard['bound'])} where {where}"
    return f"outputs within ±{value_text(guard['bound'])}"


@dataclass
class Network:
    """Draws one network on a sheet. ``old`` is the genome it is compared with, or itself."""

    sheet: Sheet
    new: JSON
    old: JSON
    found: Sequence[Change]
    names: Sequence[str]  # of the layers of ``new``, constant throughout an agent run
    most: float  # units of the widest box
    y: float = 0.0
    left: dict[int, float] = field(default_factory=dict)  # where the stream leaves a layer
    left_old: dict[int, float] = field(default_factory=dict)
    lanes: int = 0

    def draw(self, y: float) -> float:
        """Draw everything from ``y`` down; returns where it ends."""
        self.y = y
        self._observation()
        for pair in aligned(self.old["layers"], self.new["layers"]):
            self._row(*pair)
        return self._heads()

    def _seen(self, path: str, *, gone: bool) -> tuple[Change, ...]:
        """Changes of one item of a list; another one, now gone, may have had the same number."""
        mine = [each for each in self.found if each.path == path]
        whole = [each for each in mine if (each.mark == "removed") == gone]
        fields = [] if gone else [each for each in self.found if each.path.startswith(f"{path}.")]
        return (*whole, *fields)

    def _observation(self) -> None:
        top, middle = self.y, self.y + BOX / 2
        self.sheet.add(Box("observation", MIDDLE - 62, top, 124, BOX, "head", round=14))
        self.sheet.add(Word("observation/name", MIDDLE, middle + 4.5, "observation", 13, "middle"))
        y = top + 11
        for name, rest in (("activation", ""), ("history", 1), ("next_activation", None),
                           ("blend", 0.0)):  # fmt: skip
            seen = tuple(x for x in self.found if x.path == f"architecture.{name}")
            if seen or self.new[name] != rest:
                value = (
                    f"{seen[0].before} → {seen[0].after}" if seen else value_text(self.new[name])
                )
                label = Word(f"about/{name}", LABELS, y, "", 12, bold=bool(seen), soft=not seen,
                             mark="changed" if seen else "", changes=seen)  # fmt: skip
                y = self.sheet.lines(f"{name.replace('_', ' ')} {value}", LABEL_WIDTH, label)
        self.y = self.left[-1] = self.left_old[-1] = max(top + BOX, y - 12)
        if self.y > top + BOX:
            self.sheet.add(Line("observation/out", ((MIDDLE, top + BOX), (MIDDLE, self.y))))

    # --- layers --------------------------------------------------------------------------------

    def _row(self, i: int | None, j: int | None) -> None:
        layer = self.new["layers"][j] if j is not None else self.old["layers"][i]
        key = self.names[j] if j is not None else f"gone{i}"
        seen = self._seen(f"architecture.layers[{i if j is None else j}]", gone=j is None)
        mark: Mark = "" if not seen else seen[0].mark if seen[0].path.endswith("]") else "changed"
        before = None if i is None or j is None else self.old["layers"][i]
        self._stream(f"{key}/in", GAP)
        below = self._label(key, j if j is not None else i, layer, seen, mark)
        self._picture(key, layer, before, mark)
        bottom, self.y = self.y, max(self.y, below - GAP + 6)
        if self.y > bottom:
            self.sheet.add(Line(f"{key}/out", ((MIDDLE, bottom), (MIDDLE, self.y))))
        if j is not None:
            self.left[j] = self.y
        if i is not None:
            self.left_old[i] = self.y

    def _stream(self, key: str, length: float) -> None:
        here = (MIDDLE, self.y), (MIDDLE, self.y + length)
        self.sheet.add(Line(key, here, arrow=True))
        self.y += length

    def _label(
        self, key: str, place: int | None, layer: JSON, seen: Sequence[Change], mark: Mark
    ) -> float:
        sign = SIGNS.get(mark, "")
        units = [each for each in seen if each.path.endswith(".units")]
        name = f"{layer['kind']} {units[0].before} → {units[0].after}" if units else headline(layer)
        whole = seen if mark in {"added", "removed"} else units
        top = Word(f"{key}/label", LABELS, self.y + 12, f"{sign}{name}", 13.5, bold=True,
                   mark=mark if whole else "", changes=tuple(whole))  # fmt: skip
        self.sheet.add(top)
        fields = [each for each in seen if each not in whole]
        kind = about(layer)
        if fields:
            kind = ", ".join(f"{each.path.rpartition('.')[2]} {each.before} → {each.after}"
                             for each in fields)  # fmt: skip
        small = Word(f"{key}/about", LABELS, self.y + 27, "", 11.5, bold=bool(fields),
                     soft=not fields, mark="changed" if fields else "",
                     changes=tuple(fields))  # fmt: skip
        detail = f"layer {place}{': ' if kind else ''}{kind}"
        return self.sheet.lines(detail, LABEL_WIDTH, small, 14)

    def _picture(self, key: str, layer: JSON, before: JSON | None, mark: Mark) -> None:
        top, width = self.y, self._wide(layer)
        draw: Mapping[str, Callable[..., None]] = {
            "norm": self._norm, "skip": self._skip, "injected": self._injected,
        }  # fmt: skip
        draw.get(layer["kind"], self._boxes)(key, layer, width, mark)
        if before and before["units"] != layer["units"] and layer["kind"] not in {"norm", "skip"}:
            was = self._wide(before)
            self.sheet.add(Box(f"{key}/was", MIDDLE - was / 2, top - 3, was, BOX + 6, "ghost"))
        if layer["kind"] in RESIDUAL:
            self._bypass(key, top, width, mark)

    def _wide(self, layer: JSON) -> float:
        return max(float(layer["units"]) * side_by_side(layer) / self.most * WIDEST, LEAST)

    def _boxes(self, key: str, layer: JSON, width: float, mark: Mark) -> None:
        number = side_by_side(layer)
        look = "sparse" if layer["density"] < 1 else "layer"
        step = width / number
        for k in range(number):
            x, broad = MIDDLE - width / 2 + k * step, max(step - (3 if number > 1 else 0), 2)
            self.sheet.add(Box(f"{key}/box{k}", x, self.y, broad, BOX, look, mark))  # type: ignore[arg-type]
        if layer["kind"] == "memory":
            right, middle = MIDDLE + width / 2, self.y + BOX / 2
            loop = ((right, middle + 7), (right + 12, middle + 7), (right + 12, middle - 7),
                    (right + 1, middle - 7))  # fmt: skip
            self.sheet.add(Line(f"{key}/loop", loop, arrow=True, mark=mark))
        self.y += BOX

    def _injected(self, key: str, layer: JSON, width: float, mark: Mark) -> None:
        """A frozen layer and, under it, what was injected: all but the newest are frozen, too."""
        bars = min(int(layer["count"]), 4)
        high = BOX - 5 * bars
        x = MIDDLE - width / 2
        self.sheet.add(Box(f"{key}/box0", x, self.y, width, high, "frozen", mark))
        for k in range(bars):
            look = "layer" if k == bars - 1 else "frozen"
            y = self.y + high + 5 * k + 1
            self.sheet.add(Box(f"{key}/bar{k}", x, y, width, 4, look, mark, 1))  # type: ignore[arg-type]
        self.y += BOX

    def _norm(self, key: str, layer: JSON, width: float, mark: Mark) -> None:
        del layer
        y = self.y + BOX / 2 - 5
        self.sheet.add(Line(f"{key}/through", ((MIDDLE, self.y), (MIDDLE, self.y + BOX))))
        self.sheet.add(Box(f"{key}/box0", MIDDLE - width / 2, y, width, 10, "norm", mark, 5))
        self.y += BOX

    def _skip(self, key: str, layer: JSON, width: float, mark: Mark) -> None:
        del width
        sources = self.left_old if mark == "removed" else self.left
        start, middle = sources.get(layer["source"], self.left[-1]) + 5, self.y + BOX / 2
        lane = MIDDLE - WIDEST / 2 - 26 - 14 * (self.lanes % 6)
        self.lanes += 1
        way = ((MIDDLE, start), (lane, start), (lane, middle), (MIDDLE - GATE / 2 - 1, middle))
        self.sheet.add(Line(f"{key}/arc", way, arrow=True, mark=mark))
        self.sheet.add(Line(f"{key}/through", ((MIDDLE, self.y), (MIDDLE, self.y + BOX))))
        self._gate(f"{key}/gate", middle, mark)
        self.y += BOX

    def _bypass(self, key: str, top: float, width: float, mark: Mark) -> None:
        """The stream itself, going round the layer to the sum."""
        x, start = MIDDLE - width / 2 - 12, top - GAP / 2 + 2
        middle = self.y + 6 + GATE / 2
        self.sheet.add(Line(f"{key}/down", ((MIDDLE, self.y), (MIDDLE, middle))))
        way = ((MIDDLE, start), (x, start), (x, middle), (MIDDLE - GATE / 2 - 1, middle))
        self.sheet.add(Line(f"{key}/arc", way, arrow=True, mark=mark))
        self._gate(f"{key}/gate", middle, mark)
        self.y = middle + GATE / 2

    def _gate(self, key: str, middle: float, mark: Mark) -> None:
        corner = (MIDDLE - GATE / 2, middle - GATE / 2)
        self.sheet.add(Box(key, *corner, GATE, GATE, "gate", mark, GATE / 2))
        self.sheet.add(Word(f"{key}/sum", MIDDLE, middle + 4.5, "+", 13, "middle", bold=True))

    # --- heads and guards ----------------------------------------------------------------------

    def _heads(self) -> float:
        rule = str(self.new["rule"])
        names = heads(rule)
        wide, start, top = (98.0 if len(names) < 3 else 62.0), self.y, self.y + 30  # noqa: PLR2004
        centre = {
            name: MIDDLE + (k - (len(names) - 1) / 2) * (wide + 8) for k, name in enumerate(names)
        }
        for name, x in centre.items():
            bend = start + 13
            way = ((MIDDLE, start), (MIDDLE, bend), (x, bend), (x, top))
            self.sheet.add(Line(f"head/{name}/in", way if x != MIDDLE else (way[0], way[3]), True))
            self.sheet.add(Box(f"head/{name}", x - wide / 2, top, wide, BOX, "head", round=14))
            self.sheet.add(Word(f"head/{name}/name", x, top + 19.5, name, 13, "middle"))
        said = Word("head/about", LABELS, top + 12, "", 11.5, soft=True)
        self.y = max(self.sheet.lines(towers(rule), LABEL_WIDTH, said, 14), top + BOX)
        return self._guards(min(centre.values()), top + BOX)

    def _guards(self, x: float, y: float) -> float:
        pairs = aligned(self.old["guards"], self.new["guards"])
        end, top = self.y, y + 16
        for i, j in pairs:
            guard = self.new["guards"][j] if j is not None else self.old["guards"][i]
            path = f"architecture.guards[{i if j is None else j}]"
            seen = self._seen(path, gone=j is None)
            top = max(top, end)  # words may reach further down than what they are about
            key = f"guard/{i}/{j}"
            self.sheet.add(Line(f"{key}/in", ((x, y), (x, top)), arrow=True))
            end = self._shield(key, x, top, guard, seen)
            y, top = top + 31, end + 10
        return end

    def _shield(self, key: str, x: float, top: float, guard: JSON, seen: Sequence[Change]) -> float:
        mark: Mark = "" if not seen else seen[0].mark if seen[0].path.endswith("]") else "changed"
        outline = ((-13, 0), (0, -4), (13, 0), (13, 13), (8, 21), (0, 27), (-8, 21), (-13, 13))
        points = tuple((x + dx, top + 4 + dy) for dx, dy in outline)
        self.sheet.add(Line(f"{key}/shield", points, closed=True, mark=mark))
        sign = SIGNS.get(mark, "")
        whole = mark in {"added", "removed"}
        self.sheet.add(Word(f"{key}/label", LABELS, top + 10, f"{sign}guard: {guard['kind']}", 13.5,
                            bold=True, mark=mark if whole else "",
                            changes=tuple(seen) if whole else ()))  # fmt: skip
        fields = [] if whole else list(seen)
        what = guarding(guard)
        if fields:
            what = ", ".join(f"{x.path.rpartition('.')[2]} {x.before} → {x.after}" for x in fields)
        small = Word(f"{key}/about", LABELS, top + 25, "", 11.5, bold=bool(fields),
                     soft=not fields, mark="changed" if fields else "",
                     changes=tuple(fields))  # fmt: skip
        return max(self.sheet.lines(what, LABEL_WIDTH, small, 14) - 8, top + 31)


def towers(rule: str) -> str:
    """How many networks there are of this shape, in words."""
    names = heads(rule)
    if rule in TABLES:
        return "a table: one number for each observation and action"
    many = f"{len(names)} towers of this shape, each with weights of its own"
    follow = [name for name in names if name.startswith("q")]
    after = f"; {', '.join(f'target_{each}' for each in follow)} follow" if follow else ""
    return (many if len(names) > 1 else "one tower, a linear head") + after


def drawn(genome: JSON) -> dict[str, Any]:
    """The architecture with the rule beside it, as ``Network`` takes it, of a normal genome."""
    return {**genome["architecture"], "rule": genome["learning_rule"]["rule"]}
