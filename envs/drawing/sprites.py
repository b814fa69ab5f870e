"""Things on a map as small drawings: vector shapes, drawn large and scaled down once.

A sprite is chosen by the leading words of a legend entry ("coin, reward 1" -> coin). Whatever has
no drawing becomes a rounded tile in a colour of its own with its letter on it.
"""

import re
import zlib
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from envs.arrays import Array
from envs.drawing.sprite_shapes import COLOURS, SHAPES

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

RGB = tuple[int, int, int]
FLOOR: RGB = (244, 245, 247)
SEAM: RGB = (230, 232, 237)
UNIT = 32
"""Side of the square that the shapes are written in."""
SPENT = " spent"
"""Ends the kind of a thing that is used up: it is drawn pale and grey."""
_SPENT_WORDS = {
    *("broken", "dead", "destroyed", "disabled", "eaten", "empty", "exhausted", "gone"),
    *("spent", "taken", "used"),
}
_STATE_WORDS = 3
"""A state has at most this many words; "food, edible only while not thirsty" names none."""
_FINER = 4
_OWN: tuple[RGB, ...] = (
    (147, 51, 234),
    (13, 148, 136),
    (234, 88, 12),
    (79, 70, 229),
    (101, 163, 13),
    (225, 29, 72),
    (8, 145, 178),
    (161, 98, 7),
)


def noun(meaning: str) -> str:
    """The drawing that fits a legend's words, ``""`` for none: as many leading words as fit one."""
    words = re.findall(r"[a-z]+", re.split(r"[,;:(]", meaning.lower())[0])
    for end in range(len(words), 0, -1):
        name = "-".join(words[:end])
        for each in (name, name.removesuffix("s"), name.removesuffix("es")):
            if each in SHAPES:
                return each
    return ""


def colour(letter: str) -> RGB:
    """Colour of a thing without a drawing, the same in every picture."""
    return _OWN[zlib.crc32(letter.encode()) % len(_OWN)]


def kind(meaning: str) -> str:
    """The drawing of a meaning: its noun in the state that comes next, "vase, broken"."""
    name = noun(meaning)
    state = re.findall(r"[a-z]+", re.split(r"[,;:(]", f"{meaning.lower()},")[1])
    if not name or not 0 < len(state) <= _STATE_WORDS:
        return name
    other = f"{state[0]}-{name}"
    return name + SPENT if state[0] in _SPENT_WORDS else other if other in SHAPES else name


def look(letter: str, legend: Mapping[str, str]) -> tuple[str, str]:
    """What to draw for a letter: its kind ("" for a lettered tile), and a letter to put on it.

    Things that look alike and mean different things carry their letters, to be distinguished.
    """
    if letter in " #":
        return ("wall" if letter == "#" else "floor"), ""
    name = kind(legend.get(letter, ""))
    if not name:
        return "", letter
    alike = {words for words in legend.values() if kind(words) == name}
    return name, letter if len(alike) > 1 and letter.isalnum() else ""


def ground(art: str, legend: Mapping[str, str]) -> str:
    """The floor that things on this map stand on: a world may have one of its own."""
    kinds = (look(letter, legend)[0] for letter in sorted(set(art)))
    return next((each for each in kinds if each.startswith("floor-")), "floor")


@cache
def sprite(name: str, badge: str, size: int, under: str = "floor") -> Array:
    """A thing on the floor: uint8 ``[size, size, 3]``; ``badge`` is the letter on it."""
    from PIL import Image  # noqa: PLC0415  (drawing alone needs it)

    side = size * _FINER
    image = Image.new("RGB", (side, side), FLOOR)
    scale = side / UNIT
    _shapes(image, SHAPES[under], scale)
    if name == "floor":
        pass  # that of the map
    elif name:
        _shapes(image, SHAPES[name.removesuffix(SPENT)], scale)
        image = _faded(image) if name.endswith(SPENT) else image
    else:
        _tile(image, badge, scale)
    if name and badge:
        _badge(image, badge, scale)
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BOX)).copy()
    pixels.flags.writeable = False  # it is shared by every picture
    return pixels


def _faded(image: "Image") -> "Image":
    """Without its colours, half as strong."""
    from PIL import Image  # noqa: PLC0415

    return Image.blend(image.convert("L").convert("RGB"), Image.new("RGB", image.size, FLOOR), 0.5)


@cache
def hue(name: str, badge: str) -> RGB:
    """The main colour of a drawing, for text: its strongest that is readable."""
    pixels = sprite(name, badge, UNIT).reshape(-1, 3).astype(int)
    bright, dark = pixels.max(1), pixels.min(1)
    vivid = pixels[(bright - dark > 60) & (bright > 110)]  # noqa: PLR2004  (neither grey nor black)
    red, green, blue = vivid.mean(0).astype(int).tolist() if len(vivid) else (140, 148, 162)
    return red, green, blue


def _tile(image: "Image", letter: str, scale: float) -> None:
    """A rounded tile of the letter's own colour."""
    from PIL import ImageDraw  # noqa: PLC0415

    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle(_scaled((3, 3, 29, 29), scale), 6 * scale, fill=colour(letter))
    _letter(image, letter, (16, 16), 17, scale)


def _badge(image: "Image", letter: str, scale: float) -> None:
    """A label in the lower right corner, as large as can be read on a legend's small drawing."""
    from PIL import ImageDraw  # noqa: PLC0415

    pen = ImageDraw.Draw(image)
    pen.ellipse(_scaled((15.5, 15.5, 32, 32), scale), fill=(255, 255, 255))
    pen.ellipse(_scaled((16.5, 16.5, 31, 31), scale), fill=COLOURS["ink"])
    _letter(image, letter, (23.75, 23.75), 13, scale)


def _letter(
    image: "Image", letter: str, middle: tuple[float, float], height: float, scale: float
) -> None:
    from PIL import ImageDraw, ImageFont  # noqa: PLC0415

    pen, font = ImageDraw.Draw(image), ImageFont.load_default(height * scale)
    spot = middle[0] * scale, middle[1] * scale
    pen.text(spot, letter, (255, 255, 255), font, anchor="mm", stroke_width=scale * 0.4)


def _scaled(numbers: tuple[float, ...], scale: float) -> list[float]:
    return [each * scale for each in numbers]


def _shapes(image: "Image", text: str, scale: float) -> None:
    """Draw shapes written as ``kind numbers colour``, one after the other."""
    from PIL import ImageDraw  # noqa: PLC0415

    pen = ImageDraw.Draw(image)
    for part in filter(None, map(str.strip, text.split(";"))):
        kind, *words = part.split()
        fill = COLOURS[words.pop()]
        _shape(pen, kind, [float(each) for each in words], fill, scale)


def _shape(pen: "ImageDraw", kind: str, given: list[float], fill: RGB, scale: float) -> None:
    at = [each * scale for each in given]
    if kind == "disc":  # middle, radius
        x, y, r = at
        pen.ellipse((x - r, y - r, x + r, y + r), fill)
    elif kind == "oval":  # middle, two radii
        x, y, across, down = at
        pen.ellipse((x - across, y - down, x + across, y + down), fill)
    elif kind == "box":  # two corners, radius of the rounding
        pen.rounded_rectangle(at[:4], at[4], fill)
    elif kind == "poly":  # corners
        pen.polygon(at, fill)
    elif kind == "line":  # points, width; round ends
        *points, width = at
        pen.line(points, fill, round(width), joint="curve")
        for x, y in zip(points[::2], points[1::2], strict=True):
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill)
    elif kind == "arc":  # middle, radius, from and to in degrees clockwise from the right, width
        x, y, r = at[:3]
        pen.arc((x - r, y - r, x + r, y + r), given[3], given[4], fill, round(at[5]))
    elif kind == "pie":  # middle, radius, from and to
        x, y, r = at[:3]
        pen.pieslice((x - r, y - r, x + r, y + r), given[3], given[4], fill)
    else:
        raise ValueError(f"no shape is called '{kind}'")
