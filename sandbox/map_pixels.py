"""A heat map in pixels, a PNG, for what shows no SVG: TensorBoard."""

import io

from PIL import Image, ImageDraw, ImageFont

from sandbox.record.events import Mapped

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
    told = f"{low:.3g} to {high:.3g} {event.unit}"
    draw.text((MARGIN, 3), told, OUTLINE, font=ImageFont.load_default(11))
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
