"""Pictures of worlds: sprites on their map, a legend strip and a caption line below it.

All pictures of one world have one shape, as Gymnasium's checker and films want it: the legend is
the world's whole legend, and the caption has its strip even where it is empty. A world without a
legend is no map; its text stands on a panel.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from envs.arrays import Array
from envs.drawing.sprites import FLOOR, SEAM, ground, look, sprite

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

TILE = 32
INK, SOFT, PAPER = (31, 41, 55), (90, 97, 110), (255, 255, 255)
_NARROWEST = 288  # space for a legend entry and a caption
_FEW, _TWO_COLUMNS = 8, 448  # of more things the legend has two columns, on a picture so wide
_PANEL, _PANEL_ROWS = 480, 4  # a panel is so wide, and a multiple of so many rows high
_SLIT = 8
_MARGIN = 8  # left of the legend
_LINE, _SIZE, _ICON, _GAP = 25, 13, 21, 14
_CAPTION_LINE = 16
_ASCII = {
    0x2190: "<-",
    0x2191: "^",
    0x2192: "->",
    0x2193: "v",
    **dict.fromkeys((0x2212, 0x2013, 0x2014), "-"),  # minus, dashes
    0xD7: "x",
    0x2264: "<=",
    0x2265: ">=",
    0x3B3: "gamma",
    0x3B5: "epsilon",
}
"""Characters that the built-in font lacks."""
Entries = tuple[tuple[str, str], ...]


def picture(
    art: str, legend: Mapping[str, str] | None = None, caption: str = "", tile: int = TILE
) -> Array:
    """Draw a world's text: uint8 ``[height, width, 3]``, of one shape for one size of map."""
    if not legend:
        return np.concatenate([panel(art), _caption(caption, _PANEL)])
    entries = tuple(legend.items())
    narrowest = _NARROWEST if len(entries) <= _FEW else _TWO_COLUMNS
    columns = max(map(len, art.split("\n")))
    board = tiles(art, legend, min(max(tile, narrowest // columns), 2 * tile))
    width = max(board.shape[1], narrowest)
    return np.concatenate([_centred(board, width), _caption(caption, width), strip(entries, width)])


def tiles(art: str, legend: Mapping[str, str], tile: int = TILE) -> Array:
    """The map alone, a sprite a letter; shorter rows end in floor."""
    rows = art.split("\n")
    width = max(map(len, rows))
    place = {letter: i for i, letter in enumerate(sorted({" ", *art} - {"\n"}))}
    under = ground(art, legend)
    known = np.stack([_sprite(letter, legend, tile, under) for letter in place])
    drawn = known[[[place[letter] for letter in row.ljust(width)] for row in rows]]
    return drawn.swapaxes(1, 2).reshape(len(rows) * tile, width * tile, 3)


def _sprite(letter: str, legend: Mapping[str, str], tile: int, under: str = "floor") -> Array:
    return sprite(*look(letter, legend), tile, under)


def panel(art: str, width: int = _PANEL) -> Array:
    """Text as it stands, each character in a cell of its own; wider text is written smaller."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  (drawing alone needs it)

    rows = art.split("\n")
    longest = max(map(len, rows)) + 2
    step = min(8.5, width / longest)
    height = round(step * 2.2)
    high = -(-len(rows) // _PANEL_ROWS) * _PANEL_ROWS
    image = Image.new("RGB", (width, (high + 1) * 19), PAPER)
    pen, font = ImageDraw.Draw(image), _font(round(step * 1.6, 1))
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            if letter != " ":
                spot = ((x + 1.5) * step, 9.5 + (y + 0.5) * height)
                pen.text(spot, letter.translate(_ASCII)[:1], INK, font, anchor="mm")
    return np.asarray(image).copy()


def _centred(board: Array, width: int) -> Array:
    left = (width - board.shape[1]) // 2
    around = ((0, 0), (left, width - board.shape[1] - left), (0, 0))
    if left <= _SLIT:  # what rounding left over is no strip of its own
        return np.pad(board, around, "edge")
    canvas = np.full((len(board), width, 3), FLOOR, np.uint8)
    canvas[:, left : left + board.shape[1]] = board
    return canvas


@lru_cache(maxsize=256)
def _caption(text: str, width: int) -> Array:
    """Two lines of text, cut where they are full; as high without any."""
    from PIL import Image, ImageDraw  # noqa: PLC0415

    image = Image.new("RGB", (width, 2 * _CAPTION_LINE + 6), PAPER)
    pen, font = ImageDraw.Draw(image), _font(_SIZE)
    pen.line((0, 0, width, 0), SEAM)
    for row, words in enumerate(_wrapped(pen, plain(text), width - 16, font)[:2]):
        pen.text((8, 11 + row * _CAPTION_LINE), words, INK, font, anchor="lm")
    return np.asarray(image)


def _wrapped(
    pen: "ImageDraw", text: str, width: int, font: "FreeTypeFont | ImageFont"
) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and pen.textlength(longer, font) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@cache
def strip(entries: Entries, width: int) -> Array:
    """The legend: every thing's sprite and meaning, wrapped to ``width``."""
    from PIL import Image, ImageDraw  # noqa: PLC0415

    font = _font(_SIZE)
    pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    placed = (_placed if len(entries) <= _FEW else _columns)(pen, entries, width, font)
    lines = max((y for _, y, _, _ in placed), default=-1) + 1
    image = Image.new("RGB", (width, lines * _LINE + 8), PAPER)
    pen = ImageDraw.Draw(image)
    pen.line((0, 0, width, 0), SEAM)
    for x, y, letter, words in placed:
        top = 5 + y * _LINE
        if letter:
            icon = _sprite(letter, dict(entries), _ICON)
            _paste(image, icon, x, top)
            pen.rectangle((x - 1, top - 1, x + _ICON, top + _ICON), outline=SEAM)
        pen.text((x + _ICON + 5, top + _ICON / 2), words, SOFT, font, anchor="lm")
    return np.asarray(image)


def _placed(
    pen: "ImageDraw", entries: Entries, width: int, font: "FreeTypeFont | ImageFont"
) -> list[tuple[int, int, str, str]]:
    """Column, line, letter and words of every piece; what is too long goes on below, no letter."""
    found: list[tuple[int, int, str, str]] = []
    x, line, space = _MARGIN, 0, width - _ICON - 5 - 12
    for letter, words in _labelled(entries):
        pieces = _wrapped(pen, words, space, font)
        need = _ICON + 5 + max(pen.textlength(each, font) for each in pieces)
        if x > _MARGIN and x + need > width - 4:  # not the first of its line
            x, line = _MARGIN, line + 1
        for k, piece in enumerate(pieces):
            found.append((x, line + k, "" if k else letter, piece))
        x, line = round(x + need + _GAP), line + len(pieces) - 1
    return found


def _columns(
    pen: "ImageDraw", entries: Entries, width: int, font: "FreeTypeFont | ImageFont"
) -> list[tuple[int, int, str, str]]:
    """As ``_placed``, in two columns, the first one filled first."""
    half = width // 2
    blocks = [
        (letter, _wrapped(pen, words, half - _ICON - 17, font))
        for letter, words in _labelled(entries)
    ]
    total = sum(len(pieces) for _, pieces in blocks)
    found: list[tuple[int, int, str, str]] = []
    x, line = _MARGIN, 0
    for letter, pieces in blocks:
        if x == _MARGIN and line >= total / 2:  # in the first column
            x, line = half + 4, 0
        found += [(x, line + k, "" if k else letter, words) for k, words in enumerate(pieces)]
        line += len(pieces)
    return found


def _labelled(entries: Entries) -> list[tuple[str, str]]:
    """Letters and words; with the letter before them where the drawing carries it too."""
    labels = {letter: look(letter, dict(entries))[1] for letter, _ in entries}
    return [
        (letter, plain(f"{labels[letter]}: {words}" if labels[letter] else words))
        for letter, words in shown(entries)
    ]


def shown(entries: Entries) -> Entries:
    """Entries of a legend, letters of one meaning only once."""
    first = {meaning: letter for letter, meaning in reversed(entries)}
    return tuple((letter, meaning) for letter, meaning in entries if first[meaning] == letter)


def plain(text: str) -> str:
    """The text without characters that the built-in font lacks."""
    return text.translate(_ASCII)


def _paste(image: "Image", pixels: Array, x: int, y: int) -> None:
    from PIL import Image  # noqa: PLC0415

    image.paste(Image.fromarray(pixels), (x, y))


@cache
def _font(size: float) -> "FreeTypeFont | ImageFont":
    from PIL import ImageFont  # noqa: PLC0415

    return ImageFont.load_default(size)
