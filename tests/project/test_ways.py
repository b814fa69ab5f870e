"""The two ways of CONTRIBUTING.md, of an edit and of a reward, are those that a trial goes."""

import ast
import copy
import re
import sys
from pathlib import Path

import pytest

from sandbox.trial import loop
from tests.sandbox.trial.test_loop import SPEC, Notes

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
OURS = tuple(f"{ROOT / top}/" for top in ("sandbox", "agents", "envs"))
FUNCTION = 1  # bit of ``co_flags``: the body of a function, not of a module or a class
MOST_FILES = 49
"""That one edit may pass through, from the offer to the editor to its answer."""


def lists(title):
    """The two numbered lists of a section: in the process of the trial, and outside of it."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"(?:^\d+\. .*\n)+", section, re.MULTILINE)
    return [re.findall(r"^\d+\. `([^`]+)`: ", block, re.MULTILINE) for block in blocks]


EDIT, REWARD = lists("The way of one edit"), lists("The way of one reward")


@pytest.fixture(scope="module")
def calls():
    """Every call of our functions in one trial, in order, as ``file:function``."""
    edits = ["widen", "deepen", "prune", "reset_dormant", "set_learning_rate"]
    spec = copy.deepcopy(SPEC) | {
        "editor": {"bandit": {"every_updates": 1, "edits": edits}},
        "controls": {"observation_noise": {"intensity": 0.1}},
    }
    found = []

    def note(frame, event, _):
        code = frame.f_code
        if event == "call" and code.co_flags & FUNCTION and code.co_filename.startswith(OURS):
            path = code.co_filename.removeprefix(f"{ROOT}/")
            found.append(f"{path}:{code.co_qualname}")

    sys.setprofile(note)
    try:
        loop.run_trial(spec, "x", Notes())
    finally:
        sys.setprofile(None)
    return found


def missing(steps, called):
    """The first step that is not called after the one before it; "" if all are."""
    waiting = iter(called)
    return next((step for step in steps if step not in waiting), "")


@pytest.mark.parametrize("step", [step for each in (*EDIT, *REWARD) for step in each])
def test_every_step_is_a_function_of_the_file_that_is_named(step):
    path, _, name = step.partition(":")
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    for part in name.split("."):
        kinds = ast.FunctionDef | ast.ClassDef
        (node,) = (each for each in body if isinstance(each, kinds) and each.name == part)
        body = node.body
    assert isinstance(node, ast.FunctionDef)


def test_both_ways_are_read():
    assert [len(each) > 3 for each in (*EDIT, *REWARD)] == [True] * 4


def test_an_edit_goes_the_way_that_is_written(calls):
    begun = [i for i, call in enumerate(calls) if call == EDIT[0][0]]
    updates = [calls[i:j] for i, j in zip(begun, [*begun[1:], len(calls)], strict=True)]
    deepened = [each for each in updates if "agents/edits/deepen.py:Deepen.apply" in each]
    assert deepened
    assert missing(EDIT[0], deepened[0]) == ""
    offered = deepened[0][deepened[0].index(EDIT[0][1]) :]
    offered = offered[: offered.index("sandbox/trial/loop.py:_probe")]
    assert len({call.partition(":")[0] for call in offered}) <= MOST_FILES


def test_a_reward_goes_the_way_that_is_written(calls):
    assert missing(REWARD[0], calls) == ""


def test_a_step_that_is_not_called_in_its_place_is_found():
    assert missing(["a", "c", "b"], ["a", "b", "c"]) == "b"
    assert missing(["a", "c"], ["a", "b", "c"]) == ""
