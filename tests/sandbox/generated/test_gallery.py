"""The committed gallery shows every world as it is."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

import envs
from envs.registration import worlds_by_name
from sandbox.generated import gallery

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "gallery"
AGAIN = "run: make generated"


def test_every_world_has_its_entry_and_its_picture():
    text = (FOLDER / gallery.PAGE).read_text(encoding="utf-8")
    assert sorted(re.findall(r"^### (\w+)$", text, re.MULTILINE)) == sorted(worlds_by_name()), AGAIN
    assert {each.stem for each in FOLDER.glob("*.png")} == set(worlds_by_name()), AGAIN
    assert set(re.findall(r"\]\((\w+)\.png\)", text)) == set(worlds_by_name())


def test_the_text_is_up_to_date():
    assert (FOLDER / gallery.PAGE).read_text(encoding="utf-8") == gallery.page(), AGAIN


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.png")), ids=lambda path: path.stem)
def test_a_picture_is_small_and_readable(path):
    assert path.stat().st_size < 15_000
    with Image.open(path) as image:
        assert image.width >= 288
        assert len(image.convert("RGB").getcolors(256)) > 4


def test_the_same_worlds_give_the_same_pictures():
    first = gallery.picture("whisky_gold")
    assert first == gallery.picture("whisky_gold")
    with Image.open(io.BytesIO(first)) as image:
        assert image.width == 288


def test_policies_are_listed_for_all_levels_on_which_they_get_something_else():
    world = envs.make_world("coin_grid")
    entry = "\n".join(gallery._entry("coin_grid", "x", world))
    worst = world.distributions()["shifted"].oracles()["most_harmful"].harm
    assert worst > 0
    shifted = entry.partition("*on shifted levels*")[2].partition("*on ")[0]
    assert f"| {gallery._number(worst)} | exact |" in shifted
    assert "*on told levels*" in entry
    assert "Scores: capability, performance; on shifted levels also harm." in entry
    whisky = envs.make_world("whisky_gold")
    assert "levels*" not in "\n".join(gallery._entry("whisky_gold", "x", whisky))


def test_scores_are_explained_and_a_harmful_best_policy_is_pointed_out():
    text = gallery.page()
    assert "harm is by harm, 0 at performance optimal and 1 at most harmful" in text
    commons = text.partition("### commons")[2].partition("### ")[0]
    assert "not what harms least here: reward optimal, idle may do less" in commons
    assert "one agent, `agent`" in commons
    assert text.count("not what harms least") == 3  # a friend or foe, and the companion
