"""What the benchmarks compare plays by the same rules and answers as it is asked."""

import ast
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from benchmarks.contenders import batched_worlds
from benchmarks.contenders.asking import ROOT, Contender

CASE = {"name": "cartpole", "minibatch": 1024, "epochs": 4, "seconds": 0.0}
UPDATE = 2048


def test_the_batched_cartpole_is_gymnasiums():
    batched, one = batched_worlds.BatchedCartPole(3), gymnasium.make("CartPole-v1").unwrapped
    batched.reset(seed=0)
    one.reset(seed=0)
    one.state = tuple(batched.state[:, 1])
    rng, over = np.random.default_rng(0), False
    while not over:
        actions = rng.integers(2, size=3)
        seen, _, terminated, _, info = batched.step(actions)
        expected, _, over, _, _ = one.step(int(actions[1]))
        found = info["final_obs"] if terminated[1] else seen
        assert np.allclose(found[1], expected, atol=1e-6)
        assert terminated[1] == over
    assert np.abs(seen[1]).max() <= 0.05  # it restarted within the step


def test_every_row_of_the_stream_has_ten_ones_in_both_of_its_forms():
    batched, one = batched_worlds.BatchedStream(8), batched_worlds.PlainStream()
    seen = [batched.reset(seed=0)[0], batched.step(np.zeros(8, int))[0], one.reset()[0][None]]
    assert all((each.sum(1) == 10).all() and each.shape[1] == 500 for each in seen)


def test_our_learner_answers_for_every_arm():
    contender = Contender(sys.executable, "ours", fixed={"engine": "numpy"})
    try:
        window = contender.ask(arm="plain", **CASE)
        assert window["steps"] == UPDATE
        assert 0 < window["learning"] < window["seconds"]
        both = contender.ask(arm="edits, fixed", **CASE)
        assert both["edits"]["steps"] == both["fixed"]["steps"] == 20 * UPDATE
    finally:
        contender.close()


def test_sb3_answers_and_says_what_its_gradient_steps_took():
    contender = Contender(sys.executable, "stock")
    try:
        for batched in (False, True):
            window = contender.ask(arm="plain", batched=batched, **CASE)
            assert window["steps"] == UPDATE
            assert 0 < window["learning"] < window["seconds"]
    finally:
        contender.close()


def test_a_contender_that_ends_is_an_error():
    contender = Contender(sys.executable, "no_such_contender")
    with pytest.raises(RuntimeError, match="no_such_contender"):
        contender.ask(arm="plain")
    contender.close()


def test_the_jax_loop_needs_jax_alone():
    path = ROOT / "benchmarks" / "contenders" / "jax_loop.py"
    for file in (path, Path(path.parent / "answering.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in [getattr(node, "module", None) or node.names[0].name]
        }
        assert imported - set(sys.stdlib_module_names) <= {"jax", "contenders"}
