"""Boards -> moving pictures: sprites where the film has a legend, else a lettered tile a character.

Sprites are the worlds' own (``envs``), asked for only here and only if they can be had: what reads
old runs needs no worlds, and shows tiles without them.
"""

import base64
import io
import re
import zlib
from collections.abc import Mapping, Sequence
from textwrap import wrap

from PIL import Image, ImageDraw, ImageFont

RGB = tuple[int, int, int]
GROUND: RGB = (246, 247, 249)
WALL: RGB = (52, 58, 70)
CAPTION: RGB = (90, 97, 110)
KNOWN: dict[str, RGB] = {
    "#": WALL,
    " ": GROUND,
    ".": GROUND,
    "A": (37, 99, 235),  # agents are blue
    "B": (14, 165, 233),
    "G": (22, 163, 74),  # goals are green
    "C": (202, 138, 4),  # coins and boxes are gold and brown
    "X": (146, 84, 34),
    "W": (190, 24, 93),
    "I": (220, 38, 38),
}
PALETTE: tuple[RGB, ...] = (
    (147, 51, 234),
    (13, 148, 136),
    (234, 88, 12),
    (79, 70, 229),
    (101, 163, 13),
    (225, 29, 72),
)
TABLE = re.compile(r"[a-z]{2}|[0-9]")
FRAME_MS, LAST_MS = 240, 1200
MOST_FRAMES = 120
SHADES = 128  # colours of a GIF
ICON = 26
NARROW = 0.6  # a letter of a table is so wide, as a share of a tile
NEARLY = 0.8
CAPTION_LINES = 2


def colour(letter: str) -> RGB:
    """Return a character's colour, the same in every picture."""
    return KNOWN.get(letter) or PALETTE[zlib.crc32(letter.encode()) % len(PALETTE)]


def frame(
    board: str,
    caption: str = "",
    tile: int = 24,
    legend: Mapping[str, str] | None = None,
    width: int = 0,
) -> Image.Image:
    """Draw one board; rows may differ in length. The caption's lines stand below it.

    A board with words or numbers on it and no legend is a table, not a grid: its characters get no
    tiles. A board much narrower than ``width`` stands in the middle of that width.
    """
    drawn = _sprites(board, legend, tile) if legend else None
    drawn = drawn or _tiles(board, tile)
    lines = caption.split("\n") if caption else []
    across, small = _across(drawn.width, tile, width), _small(tile)
    picture = Image.new("RGB", (across, drawn.height + len(lines) * _line(tile)), GROUND)
    picture.paste(drawn, ((across - drawn.width) // 2 if width else 0, 0))
    draw = ImageDraw.Draw(picture)
    for i, line in enumerate(lines):
        middle = (4, drawn.height + i * _line(tile) + _line(tile) // 2)
        draw.text(middle, line, fill=CAPTION, font=small, anchor="lm")
    return picture


def _across(drawn: int, tile: int, width: int) -> int:
    """Width of a picture: slightly less than ``width`` is kept, else padded to ``width``."""
    if not width:
        return max(drawn, tile * 6)
    return drawn if drawn >= NEARLY * width else width


def fitting(boards: Sequence[str], legend: Mapping[str, str] | None, width: int) -> int:
    """Size of a tile at which the widest of the boards is about ``width`` pixels wide."""
    columns = max((len(row) for board in boards for row in board.split("\n")), default=0)
    written = not legend and any(TABLE.search(board) for board in boards)
    largest = 24 if written else width // 4
    tile = int(width / (max(columns, 1) * (NARROW if written else 1)))
    return min(max(tile, 6), largest)


def _small(tile: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=min(max(tile * 0.5, 10), 13))


def _line(tile: int) -> int:
    return max(min(tile, 18), 13)


def _sprites(board: str, legend: Mapping[str, str], tile: int) -> Image.Image | None:
    """The board as its world draws it; ``None`` where this installation has no such worlds."""
    try:
        from envs.drawing.picture import tiles  # noqa: PLC0415
    except ImportError:
        return None
    return Image.fromarray(tiles(board, legend, tile))


def _tiles(board: str, tile: int) -> Image.Image:
    rows = board.split("\n")
    written = TABLE.search(board) is not None
    step = round(tile * NARROW) if written else tile
    picture = Image.new("RGB", (max(map(len, rows)) * step, len(rows) * tile), GROUND)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=tile * 0.62)
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            if written:
                middle = (x * step + step / 2, y * tile + tile / 2)
                draw.text(middle, letter, fill=WALL, font=font, anchor="mm")
            else:
                _tile(draw, font, letter, (x * tile, y * tile, tile))
    return picture


def _tile(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    letter: str,
    spot: tuple[int, int, int],
) -> None:
    x, y, size = spot
    fill = colour(letter)
    box = (x, y, x + size - 1, y + size - 1)
    draw.rectangle(box, fill=fill, outline=WALL if letter == "#" else (226, 229, 235))
    if letter not in {"#", " ", "."}:
        middle = (x + size / 2, y + size / 2)
        draw.text(middle, letter, fill=(255, 255, 255), font=font, anchor="mm")


def gif(
    boards: Sequence[str],
    rewards: Sequence[float] = (),
    tile: int = 24,
    legend: Mapping[str, str] | None = None,
    captions: Sequence[str] = (),
    *,
    width: int = 0,
) -> bytes:
    """Return an endless GIF of an episode; the last board stays longer.

    ``rewards``: of each step, so one fewer than boards. An episode longer than 120 boards shows its
    first 119 and its last. See ``frame`` for ``width``.
    """
    shown = list(range(len(boards)))
    if len(shown) > MOST_FRAMES:
        shown = [*shown[: MOST_FRAMES - 1], shown[-1]]
    broad = max(len(row) for i in shown for row in boards[i].split("\n")) * tile
    across = int(_across(broad, tile, width) / 6)  # characters of a caption
    below = [_below(i, rewards, captions, across) for i in shown]
    high = CAPTION_LINES if any(captions) else 0  # alike in all films of a world
    below = [each + "\n" * (high - each.count("\n")) for each in below]
    frames = [
        frame(boards[i], each, tile, legend, width) for i, each in zip(shown, below, strict=True)
    ]
    times = [FRAME_MS] * (len(frames) - 1) + [LAST_MS]
    return _encoded(_same_size(frames), times, _palette_boards([boards[i] for i in shown]))


def _below(i: int, rewards: Sequence[float], captions: Sequence[str], across: int) -> str:
    step = f"step {i}  return {sum(rewards[:i]) + 0.0:.4g}"  # + 0.0: no "-0"
    said = captions[i] if i < len(captions) else ""
    return "\n".join([step, *wrap(said, across, max_lines=CAPTION_LINES, placeholder=" ...")])


def _same_size(frames: Sequence[Image.Image]) -> list[Image.Image]:
    size = max(each.width for each in frames), max(each.height for each in frames)
    canvases = [Image.new("RGB", size, GROUND) for _ in frames]
    for canvas, each in zip(canvases, frames, strict=True):
        canvas.paste(each, (0, 0))
    return canvases


def _palette_boards(boards: Sequence[str]) -> list[int]:
    """The boards on which a character is seen for the first time: together they have every hue."""
    seen: set[str] = set()
    found = []
    for i, board in enumerate(boards):
        if set(board) - seen:
            seen |= set(board)
            found.append(i)
    return found


def _encoded(
    frames: Sequence[Image.Image], times: Sequence[int], palette_frames: Sequence[int]
) -> bytes:
    """One palette for all frames: then only what changed between two of them is stored."""
    width, height = frames[0].size
    hues = Image.new("RGB", (width, height * len(palette_frames)))
    for k, i in enumerate(palette_frames):
        hues.paste(frames[i], (0, k * height))
    palette = hues.quantize(SHADES, method=Image.Quantize.FASTOCTREE)
    buffer = io.BytesIO()
    small = [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in frames]
    small[0].save(
        buffer, "GIF", save_all=True, append_images=small[1:], duration=list(times), loop=0
    )
    return buffer.getvalue()


def icons(legend: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Letter, meaning and picture (a data URI, "" where there is none) of each thing, once."""
    try:
        from envs.drawing.picture import shown  # noqa: PLC0415
    except ImportError:
        return [(letter, meaning, "") for letter, meaning in legend.items()]
    found = []
    for letter, meaning in shown(tuple(legend.items())):
        drawn = _sprites(letter, legend, ICON)
        found.append((letter, meaning, "" if drawn is None else data_uri(_png(drawn), "image/png")))
    return found


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.quantize(64, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def data_uri(picture: bytes, kind: str = "image/gif") -> str:
    """Return the picture as an address that needs no file and no network."""
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}"
