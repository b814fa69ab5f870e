"""An edit history as one film: the network as it changes, from start to end, repeated.

A self-contained SVG that moves by CSS keyframes: boxes grow and shrink, words and lines fade. It
holds still, at the end, for readers who asked their system for less motion.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from sandbox.pictures.genome_changes import aligned, normal
from sandbox.pictures.genome_layout import plan
from sandbox.pictures.genome_network import widest
from sandbox.pictures.genome_shapes import Box, Line, Shape, Sheet, Word
from sandbox.pictures.genome_svg import drawn, framed
from sandbox.pictures.lineage_svg import settings_text
from sandbox.record.lineage import Lineage, Node

SECONDS = 2.0  # a moment
MOVING = 0.3  # share of it that is spent on the change
MOST_MOMENTS = 24
TOO_LONG = 40  # characters: a longer setting is left out of a heading
MARKED = {
    "added": "fill:var(--gaf);stroke:var(--ga)",
    "removed": "fill:var(--gp);stroke:var(--gr)",
    "changed": "fill:var(--gcf);stroke:var(--gc)",
}
PLAIN = {
    "head": "fill:var(--gp);stroke:var(--gl)",
    "gate": "fill:var(--gp);stroke:var(--gl)",
    "norm": "fill:var(--gl);stroke:var(--gl)",
    "frozen": "fill:var(--gz);stroke:var(--gl)",
    "ghost": "fill:none;stroke:var(--gc)",
}
LAYER = "fill:var(--gf);stroke:var(--gb)"


def moments(agent_run: Lineage, most: int = MOST_MOMENTS) -> tuple[Node, ...]:
    """The moments that are shown: all, or so many, evenly chosen, with start and end."""
    every = agent_run.moments()
    if len(every) <= most:
        return every
    return tuple(every[round(i * (len(every) - 1) / (most - 1))] for i in range(most))


@dataclass
class _Track:
    """One element through all moments: its look in each, ``None`` where it is not there."""

    shape: Shape
    seen: list[Shape | None] = field(default_factory=list)

    @property
    def rest(self) -> Shape:
        """Where it stands when nothing moves: as it was last seen."""
        return [each for each in self.seen if each is not None][-1]


def film(agent_run: Lineage, *, title: str = "Edit history") -> str:
    """Return the animated SVG; without any change, a still picture."""
    shown = moments(agent_run)
    sheets = _sheets(shown)
    tracks = _tracks(sheets)
    words = f"{len(shown)} moments: " + "; ".join(_heading(each) for each in shown) + "."
    paper = Sheet(sheets[0].width, max(each.height for each in sheets))
    seed = "".join(repr(each.seen) for each in tracks)
    name = "f" + hashlib.sha256(seed.encode()).hexdigest()[:8]
    rules: dict[str, str] = {}
    inside = "".join(_element(each, name, rules) for each in tracks)
    return framed(paper, inside, title, words, _css(name, rules, len(shown)))


def _heading(node: Node) -> str:
    if not node.entry:
        return "Start"
    settings = settings_text({k: v for k, v in node.settings.items() if len(str(v)) < TOO_LONG})
    return f"Step {node.steps:,}: {node.edit}({settings})"


def _sheets(shown: Sequence[Node]) -> list[Sheet]:
    """A drawing of each moment, on one scale, with what changed since the one before marked."""
    most = widest(*(normal(each.genome) for each in shown))
    names: list[str] = []
    sheets = []
    for i, node in enumerate(shown):
        before = shown[i - 1].genome if i else node.genome
        names = _names(before, node.genome, names, i)
        known = {"heading": f"{_heading(node)}  ·  {i + 1} of {len(shown)}", "most": most}
        sheets.append(plan(node.genome, before if i else None, names=names, **known))  # type: ignore[arg-type]
    return sheets


def _names(before: object, after: object, names: Sequence[str], moment: int) -> list[str]:
    """What each layer is called: a layer keeps its name, a new one gets a new name."""
    old, new = (normal(each)["architecture"]["layers"] for each in (before, after))  # type: ignore[arg-type]
    if not names:
        return [f"m0l{j}" for j in range(len(new))]
    came = {j: i for i, j in aligned(old, new) if i is not None and j is not None}
    return [names[came[j]] if j in came else f"m{moment}l{j}" for j in range(len(new))]


def _tracks(sheets: Sequence[Sheet]) -> list[_Track]:
    found: dict[object, _Track] = {}
    for i, sheet in enumerate(sheets):
        for shape in sheet.shapes:
            track = found.setdefault(_identity(shape), _Track(shape))
            track.seen += [None] * (i - len(track.seen))
            track.seen.append(shape)
    for track in found.values():
        track.seen += [None] * (len(sheets) - len(track.seen))
    return sorted(found.values(), key=lambda each: isinstance(each.shape, Word))


def _identity(shape: Shape) -> object:
    """What moves as one: a box whatever it looks like, a word while it says the same."""
    if isinstance(shape, Box):
        return shape.key
    if isinstance(shape, Line):
        return shape
    return shape.key, shape.text, shape.mark, shape.bold, shape.soft, shape.anchor


def _element(track: _Track, name: str, rules: dict[str, str]) -> str:
    """The element and, in ``rules``, how it moves, if it does."""
    looks = list(_looks(track))
    inside = drawn(track.rest) if not isinstance(track.rest, Word) else _word(track.rest)
    if len(set(looks)) == 1:
        return inside
    body = _keyframes(looks)
    rule = rules.setdefault(body, f"{name}{len(rules)}")
    return (
        f'<g class="{name} {rule}" style="{escape(looks[-1])}">{inside}</g>'
        if not isinstance(track.shape, Box)
        else inside.replace("<rect", f'<rect style="{escape(looks[-1])}"').replace(
            'class="', f'class="{name} {rule} ', 1
        )
    )


def _word(word: Word) -> str:
    """Without the text shown under a pointer: in a film, words come and go."""
    return drawn(Word(**{**word.__dict__, "changes": (), "title": ""}))


def _looks(track: _Track) -> Iterator[str]:
    """CSS of the element in each moment; unseen, it waits where it was or will be."""
    last = next(each for each in track.seen if each is not None)
    for each in track.seen:
        last = each or last
        shown = "opacity:1" if each is not None else "opacity:0"
        if isinstance(last, Box):
            place = f"x:{last.x:.4g}px;y:{last.y:.4g}px;width:{last.width:.4g}px"
            style = MARKED.get(last.mark) or PLAIN.get(last.look, LAYER)
            if last.look == "ghost":
                style = PLAIN["ghost"]
            yield f"{shown};{place};height:{last.height:.4g}px;{style}"
        elif isinstance(last, Word) and isinstance(rest := track.rest, Word):
            yield f"{shown};transform:translate({last.x - rest.x:.4g}px,{last.y - rest.y:.4g}px)"
        else:
            yield shown


def _keyframes(looks: Sequence[str]) -> str:
    """Hold a look for a moment, and change to the next at its beginning."""
    number = len(looks)
    frames = [f"0%{{{looks[0]}}}"]
    for i in range(1, number):
        if looks[i] != looks[i - 1]:
            start, end = 100 * i / number, 100 * (i + MOVING) / number
            frames.append(f"{start:.4g}%{{{looks[i - 1]}}}{end:.4g}%{{{looks[i]}}}")
    return "".join([*frames, f"100%{{{looks[-1]}}}"])


def _css(name: str, rules: dict[str, str], number: int) -> str:
    """All movements of a film; it stands still at its end for readers who want no motion."""
    if not rules:
        return ""
    long = number * SECONDS
    css = f".{name}{{animation:{long:g}s linear infinite}}"
    for body, rule in rules.items():
        css += f".{rule}{{animation-name:{rule}}}@keyframes {rule}{{{body}}}"
    return css + (
        f"@media(prefers-reduced-motion:reduce){{.{name}{{animation-play-state:paused;"
        f"animation-delay:-{long - 0.01:g}s}}}}"
    )
