"""Pictures show what a legend says, each thing in its own way, all of one world in one shape."""

import itertools

import numpy as np
import pytest

import envs
from envs.drawing.picture import TILE, panel, picture, shown, strip, tiles
from envs.drawing.sprite_shapes import SHAPES
from envs.drawing.sprites import colour, look, noun, sprite
from envs.faces.shared import draw
from envs.registration import worlds_by_name

WORDS = """
    agent leader assistant human lab coin goal exit box vase sushi belt wall water lava button
    off-switch interruption supervisor punishment tomato dry-tomato bucket whisky gold diamond rock
    switch lump-goal key door chest trap tv food ore energy shop order commons apple tree register
    monitor overseer tile arrow-up arrow-down arrow-left arrow-right beacon dog ghost treasure river
    island target floor
"""
NOUNS = WORDS.split()
LEGEND = {"A": "agent", "C": "coin, reward 1", "X": "box", "1": "box", "Z": "zebra crossing"}


def test_every_noun_that_a_world_may_use_is_drawn_differently():
    assert set(NOUNS) <= set(SHAPES)
    drawn = {name: sprite(name, "", TILE) for name in SHAPES}
    for one, other in itertools.combinations(drawn, 2):
        assert np.abs(drawn[one].astype(int) - drawn[other]).mean() > 1.5, (one, other)


@pytest.mark.parametrize("name", [each for each in NOUNS if each not in {"floor", "wall"}])
def test_a_drawing_fills_enough_of_its_tile_to_be_seen_at_half_the_size(name):
    apart = np.abs(sprite(name, "", TILE // 2).astype(int) - sprite("floor", "", TILE // 2))
    assert (apart.max(-1) > 60).mean() > 0.15


@pytest.mark.parametrize(
    ("meaning", "name"),
    [
        ("coin, reward 1", "coin"),
        ("Agent on the belt", "agent"),
        ("dry tomato, needs water", "dry-tomato"),
        ("dry-tomato", "dry-tomato"),
        ("off-switch: ends it", "off-switch"),
        ("off switch", "off-switch"),
        ("arrow-up", "arrow-up"),
        ("apples (3 left)", "apple"),
        ("boxes", "box"),
        ("goal, reward 50", "goal"),
        ("lump-goal", "lump-goal"),
        ("submarine near the coin", ""),
        ("", ""),
    ],
)
def test_the_leading_words_choose_the_drawing(meaning, name):
    assert noun(meaning) == name


def test_a_thing_without_a_drawing_is_a_tile_of_its_colour_with_its_letter():
    pixels = sprite(*look("Z", LEGEND), TILE)
    assert tuple(pixels[5, TILE // 2]) == colour("Z")
    assert (pixels[8:24, 8:24] == 255).all(-1).any()
    assert look("?", {}) == ("", "?")


def test_things_of_one_noun_carry_letters_only_where_they_mean_different_things():
    assert look("X", LEGEND) == look("1", LEGEND) == ("box", "")
    doors = {"D": "door, red", "d": "door, blue"}
    assert (look("D", doors), look("d", doors)) == (("door", "D"), ("door", "d"))
    assert not np.array_equal(sprite("door", "D", TILE), sprite("door", "d", TILE))


def test_what_is_used_up_is_drawn_pale_what_is_open_open_and_neither_needs_a_letter():
    vases = {"V": "vase, breaks when walked into", "v": "vase, broken"}
    assert (look("V", vases), look("v", vases)) == (("vase", ""), ("vase spent", ""))
    pale = sprite("vase spent", "", TILE).astype(int)
    assert (pale.max(-1) - pale.min(-1)).max() < 6  # no colours
    assert np.abs(pale - sprite("floor", "", TILE)).max() > 60  # but it can be seen
    assert look("t", {"t": "tomato, gone bad"})[0] == "tomato spent"
    assert look("d", {"D": "door, locked", "d": "door, open"}) == ("open-door", "")
    assert look("f", {"f": "food, edible only while not thirsty"})[0] == "food"
    assert look("m", {"m": "monitor, its log is empty"})[0] == "monitor"


def test_a_map_is_its_sprites_in_order():
    drawn = tiles("#A\nC", LEGEND)
    assert drawn.shape == (2 * TILE, 2 * TILE, 3)
    assert drawn.dtype == np.uint8
    for row, column, name in [(0, 0, "wall"), (0, 1, "agent"), (1, 0, "coin"), (1, 1, "floor")]:
        part = drawn[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
        assert np.array_equal(part, sprite(name, "", TILE))


def test_a_caption_changes_no_shape_and_shows():
    plain, reported = (picture("#A#", LEGEND, words) for words in ("", "reserves 3 of 4 " * 20))
    assert plain.shape == reported.shape
    assert not np.array_equal(plain, reported)
    assert np.array_equal(plain[:TILE], reported[:TILE])


def test_the_legend_names_each_meaning_once_and_wraps():
    entries = tuple(LEGEND.items())
    assert [letter for letter, _ in shown(entries)] == ["A", "C", "X", "Z"]
    wide, narrow = strip(entries, 600), strip(entries, 120)
    assert wide.shape[1] == 600
    assert narrow.shape[1] == 120
    assert len(narrow) > len(wide)


def test_a_world_without_a_legend_is_text_on_a_panel():
    rows = ["round   1", "0 S  1.0 =>", "x" * 200]
    drawn = picture("\n".join(rows[:2]), {})
    assert drawn.shape == picture("round", {}, "a caption").shape
    assert len(np.unique(drawn[:100].reshape(-1, 3), axis=0)) > 5  # letters, antialiased
    assert panel(rows[2]).shape[1] == drawn.shape[1]
    assert (panel(rows[2])[:, -3:] == 255).all()  # nothing is cut off at the edge


@pytest.mark.parametrize("name", sorted(worlds_by_name()))
def test_all_pictures_of_one_world_have_one_shape(name):
    world, rng = envs.make_world(name), np.random.default_rng(0)
    joint = (len(world.agents),) if len(world.agents) > 1 else ()
    found = set()
    for each in world.distributions().values():
        state = each.reset(rng, 2)
        for _ in range(12):
            found |= {draw(each, state, i, "rgb_array").shape for i in range(2)}
            state, _ = each.step(state, rng.integers(len(each.action_names), size=(2, *joint)), rng)
    assert len(found) == 1
    assert next(iter(found))[2] == 3


def test_a_picture_is_one_s_own():
    art = "#A#"
    first = picture(art, LEGEND)
    first[:] = 0
    assert picture(art, LEGEND).any()
    assert not sprite("agent", "", TILE).flags.writeable


def test_a_map_with_a_floor_of_its_own_has_it_under_everything():
    world = envs.make_world("friend_foe")
    shown = {}
    for name, each in world.distributions().items():
        state = each.reset(np.random.default_rng(0), 1)
        shown[name] = tiles(each.render_text(state, 0), each.legend)
    floors = {
        name: {tuple(part[1, 1]) for part in cells(board) if not np.array_equal(part, WALLS)}
        for name, board in shown.items()
    }
    assert all(len(under) == 1 for name, under in floors.items())  # agent and boxes stand on it
    assert len({tuple(under) for under in map(sorted, floors.values())}) == 3


WALLS = sprite("wall", "", TILE)


def cells(board):
    return [
        board[y : y + TILE, x : x + TILE]
        for y in range(0, len(board), TILE)
        for x in range(0, board.shape[1], TILE)
    ]


def test_small_maps_are_drawn_larger_so_that_they_fill_their_picture():
    for name in ("friend_foe", "whisky_gold", "coin_grid"):
        world = envs.make_world(name)
        drawn = draw(world, world.reset(np.random.default_rng(0), 1), 0, "rgb_array")
        rim = drawn[:TILE]  # all wall: no strip beside it
        assert drawn.shape[1] == 288
        assert (rim.reshape(-1, 3).max(1) < 200).all(), name


def test_a_long_legend_stands_in_two_columns():
    world = envs.make_world("workshop")
    entries = tuple(world.legend.items())
    assert len(strip(entries, 448)) < len(entries) * 25 * 0.6


def test_a_legend_leaves_out_what_the_settings_switch_off():
    full, plain = (envs.make_world("workshop", tiles=on).legend for on in (True, False))
    assert set(full) - set(plain) == set("xXtlwg")
    quiet = envs.make_world(
        "workshop", tiles=False, overseer=False, delay=False, register=False, monitor=False
    )
    assert set(quiet.legend) == set("A138Ss")
    assert "#" in envs.make_world("maze").legend
    assert "#" not in envs.make_world("maze", layout="open").legend


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("lab_race", {}, "lab last progress"),
        ("lab_race", {"level": 2}, "lab safety performance"),
        ("lab_race", {"level": 3}, "lab safety capability"),
        ("prisoners", {}, "agent  last move"),
    ],
)
def test_tables_name_their_columns(name, settings, words):
    world = envs.make_world(name, **settings)
    state = world.reset(np.random.default_rng(0), 1)
    rows = world.render_text(state, 0).split("\n")
    assert words in rows[1]
    assert world.caption(state, 0)
    for k, lab in enumerate(world.agents):
        assert rows[2 + k].lstrip().startswith((str(k), lab))


def test_the_caption_of_a_quiz_says_when_an_answer_counts():
    world, rng = envs.make_world("recall"), np.random.default_rng(0)
    state = world.reset(rng, 1)
    text = [world.caption(state, 0)]
    for _ in range(3):
        state, _ = world.step(state, np.array([0]), rng)
        text.append(world.caption(state, 0))
    assert ["counts" in each for each in text] == [False, False, False, True]
    assert "1 of 3" in text[0]
