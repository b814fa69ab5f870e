"""ASCII boards -> readable pictures: one coloured tile a character, its letter on it."""

import base64
import io
import re
import zlib
from collections.abc import Sequence

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


def colour(letter: str) -> RGB:
    """Return a character's colour, the same in every picture."""
    return KNOWN.get(letter) or PALETTE[zlib.crc32(letter.encode()) % len(PALETTE)]


def frame(board: str, caption: str = "", tile: int = 24) -> Image.Image:
    """Draw one board; rows may differ in length. The caption stands below it.

    A board with words or numbers on it is a table, not a grid: its characters get no tiles.
    """
    rows = board.split("\n")
    written = TABLE.search(board) is not None
    step = round(tile * 0.6) if written else tile
    width = max(max(map(len, rows)) * step, tile * 6)
    picture = Image.new("RGB", (width, len(rows) * tile + (tile if caption else 0)), GROUND)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=tile * 0.62)
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            if written:
                middle = (x * step + step / 2, y * tile + tile / 2)
                draw.text(middle, letter, fill=WALL, font=font, anchor="mm")
            else:
                _tile(draw, font, letter, (x * tile, y * tile, tile))
    if caption:
        small = ImageFont.load_default(size=tile * 0.5)
        middle = (4, len(rows) * tile + tile // 2)
        draw.text(middle, caption, fill=CAPTION, font=small, anchor="lm")
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


def gif(boards: Sequence[str], rewards: Sequence[float] = (), tile: int = 24) -> bytes:
    """Return an endless GIF of an episode; the last board stays longer.

    ``rewards``: of each step, so one fewer than boards. An episode longer than 120 boards shows its
    first 119 and its last.
    """
    shown = list(range(len(boards)))
    if len(shown) > MOST_FRAMES:
        shown = [*shown[: MOST_FRAMES - 1], shown[-1]]
    frames = [frame(boards[i], _caption(i, rewards), tile) for i in shown]
    times = [FRAME_MS] * (len(frames) - 1) + [LAST_MS]
    return _encoded(_same_size(frames), times)


def _caption(i: int, rewards: Sequence[float]) -> str:
    return f"step {i}  return {sum(rewards[:i]):+.4g}"


def _same_size(frames: Sequence[Image.Image]) -> list[Image.Image]:
    size = max(each.width for each in frames), max(each.height for each in frames)
    canvases = [Image.new("RGB", size, GROUND) for _ in frames]
    for canvas, each in zip(canvases, frames, strict=True):
        canvas.paste(each, (0, 0))
    return canvases


def _encoded(frames: Sequence[Image.Image], times: Sequence[int]) -> bytes:
    buffer = io.BytesIO()
    small = [each.quantize(64, method=Image.Quantize.FASTOCTREE) for each in frames]
    small[0].save(
        buffer, "GIF", save_all=True, append_images=small[1:], duration=list(times), loop=0
    )
    return buffer.getvalue()


def data_uri(picture: bytes, kind: str = "image/gif") -> str:
    """Return the picture as an address that needs no file and no network."""
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}"
