"""A genome's picture in pixels, a PNG, for what shows no SVG: TensorBoard.

A heat map in pixels, a PNG, for what shows no SVG: TensorBoard.
"""

import io
from functools import cache, singledispatch

from PIL import Image, ImageDraw, ImageFont

from sandbox.pictures.genome_changes import JSON
from sandbox.pictures.genome_layout import plan
from sandbox.pictures.genome_shapes import MINUS, Box, Line, Shape, Word
from sandbox.pictures.genome_svg import tip
from sandbox.record.events import Mapped

INK, SOFT, LINE, PAPER = "#1c2330", "#5b6473", "#8a93a3", "#ffffff"
FILL, EDGE = "#dbe7ff", "#3b6fd4"
MARKS = {"added": "#15803d", "removed": "#b91c1c", "changed": "#b45309"}
FILLS = {"added": "#dcfce7", "removed": PAPER, "changed": "#fef3c7"}
LOOKS = {"head": PAPER, "gate": PAPER, "norm": LINE, "frozen": "#e2e5eb"}
SPELLED = str.maketrans(
    {"→": "->", "≥": ">=", "\N{MULTIPLICATION SIGN}": "x", MINUS: "-", "±": "+/-", "…": "..."}
)
"""The font that Pillow brings along knows no other signs than those of ASCII."""
COLOURS = 64


def genome_png(genome: JSON, changed_from: JSON | None = None, *, heading: str = "") -> bytes:
    """Return the picture that ``genome_svg.svg`` gives, as a PNG on white."""
    sheet = plan(genome, changed_from, heading=heading)
    picture = Image.new("RGB", (round(sheet.width), round(sheet.height)), PAPER)
    draw = ImageDraw.Draw(picture)
    for shape in sheet.shapes:
        _draw(shape, draw)
    buffer = io.BytesIO()
    picture.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        buffer, "PNG"
    )
    return buffer.getvalue()


def png_size(picture: bytes) -> dict[str, int]:
    """Width and height from a PNG's header (PNG 11.2.2)."""
    width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
    return {"width": width, "height": height, "colorspace": 3}


@singledispatch
def _draw(shape: Shape, draw: ImageDraw.ImageDraw) -> None:
    raise TypeError(shape, draw)


@_draw.register
def _(box: Box, draw: ImageDraw.ImageDraw) -> None:
    corners = (box.x, box.y, box.x + box.width, box.y + box.height)
    if box.look == "ghost":
        outline, fill = MARKS["changed"], None
    else:
        outline = MARKS.get(box.mark, EDGE if box.look in {"layer", "sparse"} else LINE)
        fill = FILLS.get(box.mark, LOOKS.get(box.look, FILL))
    # Pillow refuses corners rounder than the box is wide.
    round_ = min(box.round, box.width / 2, box.height / 2)
    draw.rounded_rectangle(corners, round_, fill=fill, outline=outline, width=2 if box.mark else 1)


@_draw.register
def _(line: Line, draw: ImageDraw.ImageDraw) -> None:
    colour = MARKS.get(line.mark, EDGE if line.closed else LINE)
    if line.closed:
        draw.polygon(line.points, fill=FILLS.get(line.mark, FILL), outline=colour)
        return
    draw.line(line.points, fill=colour, width=2)
    if line.arrow:
        draw.polygon(tip(line), fill=colour)


@cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


@_draw.register
def _(word: Word, draw: ImageDraw.ImageDraw) -> None:
    font = _font(word.size)
    colour = MARKS.get(word.mark, SOFT if word.soft else INK)
    where = {"start": "ls", "middle": "ms", "end": "rs"}[word.anchor]
    heavy = 0.3 if word.bold else 0.0
    spelled = word.text.translate(SPELLED)
    draw.text((word.x, word.y), spelled, fill=colour, font=font, anchor=where, stroke_width=heavy)


CELL, MARGIN, HEAD = 24, 4, 18
COLD, HEAT, NONE, OUTLINE = (253, 246, 227), (179, 18, 63), (226, 229, 235), (28, 35, 48)


def map_png(event: Mapped) -> bytes:
    """The map as the report draws it, on white, its least and largest number above it."""
    columns = max(map(len, event.rows), default=1)
    wide = max(CELL * columns + 2 * MARGIN, 200)
    picture = Image.new("RGB", (wide, CELL * len(event.rows) + 2 * MARGIN + HEAD), "white")
    draw = ImageDraw.Draw(picture)
    values = [x for row in event.rows for x in row if x is not None] or [0.0]
    low, high = min(values), max(values)
    span = f"{low:.3g} to {high:.3g} {event.unit}"
    draw.text((MARGIN, 3), span, OUTLINE, font=ImageFont.load_default(11))
    for row, cells in enumerate(event.rows):
        for column, value in enumerate(cells):
            x, y = _corner(row, column)
            draw.rectangle((x, y, x + CELL - 1, y + CELL - 1), _colour(value, low, high))
    for wall in event.walls:
        draw.line(_line(*wall), OUTLINE, 3)
    right, bottom = _corner(len(event.rows), columns)
    draw.rectangle((MARGIN, MARGIN + HEAD, right, bottom), outline=OUTLINE, width=2)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _corner(row: int, column: int) -> tuple[int, int]:
    return MARGIN + CELL * column, MARGIN + HEAD + CELL * row


def _colour(value: float | None, low: float, high: float) -> tuple[int, ...]:
    if value is None:
        return NONE
    share = (value - low) / (high - low) if high > low else 0.0
    return tuple(round(a + share * (b - a)) for a, b in zip(COLD, HEAT, strict=True))


def _line(row: int, column: int, to_row: int, to_column: int) -> tuple[int, int, int, int]:
    x, y = _corner(max(row, to_row), max(column, to_column))
    return (x, y, x, y + CELL) if row == to_row else (x, y, x + CELL, y)
