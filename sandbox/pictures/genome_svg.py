"""A genome as one SVG: its network with sizes, its numbers, and what changed, marked.

Self-contained and legible in light and dark; no font, script or file from elsewhere. The same
genomes give the same bytes.
"""

from collections.abc import Iterator, Sequence
from functools import singledispatch
from html import escape
from itertools import pairwise

from sandbox.pictures.genome_changes import JSON, changes, headline, normal
from sandbox.pictures.genome_layout import plan
from sandbox.pictures.genome_shapes import Box, Line, Shape, Sheet, Word

ROUND = 8.0  # pixels: corners of a line
CSS = """
.genome{--gi:#1c2330;--gs:#5b6473;--gl:#8a93a3;--gf:#dbe7ff;--gb:#3b6fd4;--gp:#fff;--ga:#15803d;
--gaf:#dcfce7;--gr:#b91c1c;--gc:#b45309;--gcf:#fef3c7;--gz:#e2e5eb;background:var(--gp);
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
@media(prefers-color-scheme:dark){.genome{--gi:#e6e9ef;--gs:#9aa4b5;--gl:#6b7688;--gf:#23365c;
--gb:#7aa7ff;--gp:#1a1f28;--ga:#4ade80;--gaf:#14331f;--gr:#f87171;--gc:#fbbf24;--gcf:#3d2f0c;--gz:#343c4a}}
.genome text{fill:var(--gi)}.genome text.soft{fill:var(--gs)}.genome .bold{font-weight:650}
.genome text.added{fill:var(--ga)}.genome text.removed{fill:var(--gr)}
.genome text.changed{fill:var(--gc)}
.genome rect{fill:var(--gf);stroke:var(--gb);stroke-width:1.5}
.genome rect.head,.genome rect.gate{fill:var(--gp);stroke:var(--gl)}
.genome rect.norm{fill:var(--gl);stroke:none}.genome rect.sparse{stroke-dasharray:2 3}
.genome rect.frozen{fill:var(--gz);stroke:var(--gl)}
.genome rect.ghost{fill:none;stroke:var(--gc);stroke-dasharray:5 4}
.genome rect.added{fill:var(--gaf);stroke:var(--ga);stroke-width:2.5}
.genome rect.removed{fill:none;stroke:var(--gr);stroke-dasharray:6 4}
.genome rect.changed{fill:var(--gcf);stroke:var(--gc);stroke-width:2}
.genome path{fill:none;stroke:var(--gl);stroke-width:1.5;stroke-linejoin:round}
.genome path.tip{fill:var(--gl);stroke:none}.genome path.closed{fill:var(--gf);stroke:var(--gb)}
.genome path.added{stroke:var(--ga);stroke-width:2}
.genome path.removed{stroke:var(--gr);stroke-dasharray:6 4;fill:none}
.genome path.changed{stroke:var(--gc);stroke-width:2}
.genome path.closed.added{fill:var(--gaf)}.genome path.closed.changed{fill:var(--gcf)}
.genome path.tip.added{fill:var(--ga)}.genome path.tip.removed{fill:var(--gr)}
""".replace("\n", "")


def svg(
    genome: JSON, changed_from: JSON | None = None, *, heading: str = "", title: str = "Genome"
) -> str:
    """Return the picture of a genome; ``changed_from``: another one, to mark what differs.

    ``heading`` stands on it, ``title`` is what a screen reader calls it. Every mark carries
    ``data-changes``, the paths of the fields that it is about.
    """
    sheet = plan(genome, changed_from, heading=heading)
    inside = "".join(drawn(each) for each in sheet.shapes)
    return framed(sheet, inside, title, described(genome, changed_from))


def framed(sheet: Sheet, inside: str, title: str, description: str, css: str = "") -> str:
    """An SVG document of this size."""
    size = f"{sheet.width:g} {sheet.height:g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="genome" viewBox="0 0 {size}" role="img"'
        f' width="{sheet.width:g}" height="{sheet.height:g}"><title>{escape(title)}</title>'
        f"<desc>{escape(description)}</desc><style>{CSS}{css}</style>{inside}</svg>"
    )


def described(genome: JSON, changed_from: JSON | None = None) -> str:
    """The picture in a sentence or two."""
    layers = [headline(each) for each in normal(genome)["architecture"]["layers"]]
    words = f"From the observation through {', '.join(layers) or 'no layer'} to the heads."
    if changed_from is None:
        return words
    found = changes(changed_from, genome)
    return f"{words} Changed: {'; '.join(map(str, found)) or 'nothing'}."


@singledispatch
def drawn(shape: Shape) -> str:
    """One shape as SVG."""
    raise TypeError(shape)


@drawn.register
def _(box: Box) -> str:
    place = f'x="{box.x:.4g}" y="{box.y:.4g}" width="{box.width:.4g}" height="{box.height:.4g}"'
    return f'<rect class="{_kind(box.look, box.mark)}" {place} rx="{box.round:g}"/>'


@drawn.register
def _(line: Line) -> str:
    kind = _kind("closed" if line.closed else "", line.mark)
    way = f'<path class="{kind}" d="{_way(line)}"/>' if kind else f'<path d="{_way(line)}"/>'
    return way + (f'<path class="{_kind("tip", line.mark)}" d="{_tip(line)}"/>' * line.arrow)


@drawn.register
def _(word: Word) -> str:
    kind = _kind("bold" if word.bold else "", "soft" if word.soft else "", word.mark)
    place = f'x="{word.x:.4g}" y="{word.y:.4g}" font-size="{word.size:g}"'
    extra = f' class="{kind}"' if kind else ""
    extra += f' text-anchor="{word.anchor}"' if word.anchor != "start" else ""
    if word.changes:
        marks = " ".join(f"{each.mark}:{each.path}" for each in word.changes)
        extra += f' data-changes="{escape(marks)}"'
    title = "\n".join(filter(None, [word.title, *map(str, word.changes)]))
    hover = f"<title>{escape(title)}</title>" if title else ""
    return f"<text {place}{extra}>{hover}{escape(word.text)}</text>"


def _kind(*names: str) -> str:
    return " ".join(filter(None, names))


def _way(line: Line) -> str:
    """The path; its corners are round."""
    points = line.points
    if line.closed:
        return "M" + "L".join(_point(each) for each in points) + "Z"
    path = f"M{_point(points[0])}"
    for i, corner in enumerate(points[1:-1], start=1):
        path += f"L{_point(_towards(corner, points[i - 1]))}Q{_point(corner)}"
        path += f" {_point(_towards(corner, points[i + 1]))}"
    return f"{path}L{_point(points[-1])}"


def _point(point: Sequence[float]) -> str:
    return f"{point[0]:.4g} {point[1]:.4g}"


def _towards(corner: Sequence[float], end: Sequence[float]) -> tuple[float, float]:
    """Where a line leaves a corner: at most half way."""
    dx, dy = end[0] - corner[0], end[1] - corner[1]
    long = max(abs(dx), abs(dy)) or 1.0
    part = min(ROUND / long, 0.5)
    return corner[0] + dx * part, corner[1] + dy * part


def tip(line: Line) -> tuple[tuple[float, float], ...]:
    """The triangle at the end of an arrow; lines with arrows end upright or level."""
    (x0, y0), (x, y) = list(pairwise(line.points))[-1]
    if abs(x - x0) > abs(y - y0):
        back = x - 7 if x > x0 else x + 7
        return ((x, y), (back, y - 4), (back, y + 4))
    back = y - 7 if y > y0 else y + 7
    return ((x, y), (x - 4, back), (x + 4, back))


def _tip(line: Line) -> str:
    return "M" + "L".join(map(_point, tip(line))) + "Z"


def texts(shapes: Sequence[Shape]) -> Iterator[Word]:
    """The words among them."""
    yield from (each for each in shapes if isinstance(each, Word))
