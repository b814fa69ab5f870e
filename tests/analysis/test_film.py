"""Boards become pictures that show every tile, in order, the same each time."""

import base64
import io

from PIL import Image

from sandbox.film import GROUND, MOST_FRAMES, WALL, colour, data_uri, frame, gif

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


def test_letters_can_be_told_from_their_tile():
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
