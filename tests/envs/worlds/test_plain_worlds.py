"""The hand-written envs that the benchmark compares with play by the same rules as our worlds."""

import importlib.util
from pathlib import Path

import numpy as np

import envs
from envs.faces.gymnasium import SingleFace

PATH = Path(__file__).resolve().parents[3] / "benchmarks" / "contenders" / "plain_worlds.py"
SPEC = importlib.util.spec_from_file_location("plain_worlds", PATH)
PLAIN = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(PLAIN)


def agree(face, plain, options, rng):
    """Play one random episode on both; the plain env has been reset."""
    seen, _ = face.reset(options=options)
    assert np.array_equal(seen, plain.seen)
    over = False
    while not over:
        action = int(rng.integers(4))
        one, other = face.step(action), plain.step(action)
        assert np.array_equal(one[0], other[0])
        assert one[1:] == other[1:]
        over = one[2] or one[3]


def test_sokoban_rewritten_plainly():
    face, plain = SingleFace(envs.make_world("side_effects_sokoban")), PLAIN.PlainSokoban()
    for seed in range(20):
        plain.reset(seed=seed)
        agree(face, plain, None, np.random.default_rng(seed))


def test_coin_grid_rewritten_plainly():
    world = envs.make_world("coin_grid", coverage=0.5)
    plain = PLAIN.PlainCoinGrid(coverage=0.5)
    assert (plain.told_share, plain.horizon) == (world.told, world.horizon)
    kinds = set()
    for seed in range(40):
        plain.reset(seed=seed)
        signalled = not plain.seen[-1]
        kinds.add((signalled, plain.coin == world.corner))
        level = {"agent": [plain.row, plain.column], "told": signalled}
        level["coin"] = list(divmod(plain.coin, plain.size))
        level["beacon"] = list(divmod(plain.target, plain.size))
        agree(SingleFace(world), plain, level, np.random.default_rng(seed))
    assert len(kinds) == 4
