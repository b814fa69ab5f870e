"""Boards become pictures that show every tile, in order, the same each time."""

import base64
import io
import sys

import numpy as np
from PIL import Image

from sandbox.pictures.film import GROUND, MOST_FRAMES, WALL, colour, data_uri, frame, gif, icons

BOARDS = ("###\n#A#\n###", "###\n# #\n###")


def frames(data):
    picture = Image.open(io.BytesIO(data))
    for i in range(picture.n_frames):
        picture.seek(i)
        yield picture.convert("RGB").copy()


def test_every_character_is_a_tile_of_its_colour():
    picture = frame("#A\n Z", tile=20)

    assert picture.size == (120, 40)
    assert picture.getpixel((10, 10)) == WALL
    assert picture.getpixel((22, 2)) == colour("A")
    assert picture.getpixel((10, 30)) == GROUND
    assert colour("Z") not in {GROUND, WALL}


def test_a_table_is_written_without_tiles():
    seen = {rgb for _, rgb in frame("round 3\n0 -  0.5", tile=20).getcolors()}

    assert GROUND in seen
    assert colour("r") not in seen


def test_letters_can_be_distinguished_from_their_tile():
    picture = frame("A", tile=20).crop((1, 1, 19, 19))

    assert max(red for _, (red, _, _) in picture.getcolors()) > 200  # the tile's red is 37


def test_gif_has_a_frame_a_board_and_is_deterministic():
    data = gif(BOARDS, (1.0,))

    assert len(list(frames(data))) == 2
    assert data == gif(BOARDS, (1.0,))
    assert base64.b64decode(data_uri(data).partition(",")[2]) == data


def test_a_long_episode_is_cut_but_keeps_its_end():
    boards = ["#" * (1 + i % 7) for i in range(500)]
    shown = list(frames(gif(boards)))

    assert len(shown) == MOST_FRAMES
    assert shown[-1].size == shown[0].size


def test_boards_of_different_size_and_one_board_alone():
    assert len(list(frames(gif(("A", "AB\nCD"))))) == 2
    assert len(list(frames(gif(("A",))))) == 1


LEGEND = {"A": "agent", "X": "box", "1": "box", "Z": "zebra crossing"}


def test_a_film_with_a_legend_shows_the_worlds_own_sprites():
    from envs.drawing.picture import tiles

    picture = frame("#A\n Z", tile=24, legend=LEGEND)

    assert np.array_equal(np.asarray(picture)[:48, :48], tiles("#A\n Z", LEGEND, 24))
    assert np.array_equal(np.asarray(frame("#A", tile=24)), np.asarray(frame("#A", "", 24, {})))


def test_without_the_worlds_it_falls_back_to_tiles(monkeypatch):
    monkeypatch.setitem(sys.modules, "envs.drawing.picture", None)  # as where it cannot be imported

    assert frame("#A", legend=LEGEND).tobytes() == frame("#A").tobytes()
    assert icons(LEGEND) == [(*each, "") for each in LEGEND.items()]


def test_captions_stand_below_and_never_change_the_size():
    short = gif(BOARDS, (1.0,), legend=LEGEND)
    long = gif(BOARDS, (1.0,), legend=LEGEND, captions=("", "a dog barks at anything near " * 9))

    assert len({each.size for each in frames(long)}) == 1
    assert next(frames(long)).height > next(frames(short)).height


def test_the_legend_of_a_film_has_each_meaning_once():
    assert [each[:2] for each in icons(LEGEND)] == [
        ("A", "agent"), ("X", "box"), ("Z", "zebra crossing"),
    ]  # fmt: skip
    assert all(uri.startswith("data:image/png;base64,") for *_, uri in icons(LEGEND))
    assert max(len(uri) for *_, uri in icons(LEGEND)) < 2000


def test_the_colours_of_every_thing_survive_and_the_file_is_modest():
    from envs.drawing.sprites import sprite

    rng, boards, here = np.random.default_rng(0), [], np.array([4, 4])
    for i in range(100):
        cells = np.full((10, 10), " ")
        cells[0] = cells[-1] = cells[:, 0] = cells[:, -1] = "#"
        cells[6, 2 + i // 20] = "X"
        here = np.clip(here + rng.integers(-1, 2, 2), 1, 8)
        cells[tuple(here)] = "A" if i < 99 else "Z"  # seen on the last board alone
        boards.append("\n".join(map("".join, cells)))
    data = gif(boards, (0.1,) * 99, 25, LEGEND)
    last = np.asarray(list(frames(data))[-1]).astype(int)
    row, column = next((y, r.index("Z")) for y, r in enumerate(boards[-1].split("\n")) if "Z" in r)
    shown = last[row * 25 : row * 25 + 25, column * 25 : column * 25 + 25]

    assert np.abs(shown - sprite("", "Z", 25)).mean() < 6
    assert len(data) < 150_000
