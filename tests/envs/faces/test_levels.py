"""First states are drawn once and pass through all stages in their order, at every beginning."""

import numpy as np

import envs
from envs.faces.gymnasium import BatchFace, SingleFace, batch_of
from envs.faces.shared import LevelSource

WORLD = envs.make_world("coin_grid", size=4, horizon=6)


def test_stages_come_in_the_order_in_which_they_were_added():
    source = LevelSource(lambda rng, n, options: [n])
    for name in "ab":
        source.then(lambda state, options, name=name: [*state, name, options])
    assert source.draw(np.random.default_rng(0), 3) == [3, "a", None, "b", None]
    assert source.draw(np.random.default_rng(0), 1, {"x": 1}) == [1, "a", {"x": 1}, "b", {"x": 1}]


def test_a_face_asks_its_source_at_every_beginning_and_nothing_else():
    asked = []

    def first(rng, n, options):
        asked.append((n, options))
        return WORLD.reset(rng, n, options)

    face = BatchFace(WORLD, 3, rng=np.random.default_rng(1), levels=LevelSource(first))
    face.reset(options={"told": False})
    ended = 0
    for _ in range(20):
        *_, terminated, truncated, _ = face.step(np.zeros(3, int))
        ended += int((terminated | truncated).sum())
    assert asked[0] == (3, {"told": False})
    assert sum(n for n, _ in asked[1:]) == ended > 0
    assert {options is None for _, options in asked[1:]} == {True}


def test_the_face_at_the_bottom_is_found_where_it_is_ours():
    face = BatchFace(WORLD, 2)
    assert batch_of(face) is face
    assert batch_of(face).levels is face.levels
    single = SingleFace(WORLD)
    assert batch_of(single) is None
