"""What every lever on the shelf promises, whoever wrote it."""

import copy
import dataclasses
import json
import typing

import pytest

from sandbox.catalogue import catalogue
from sandbox.contract import Lever

SPEC = {
    "identity": 1,
    "env": {"id": "sandbox/CoinGrid-v0", "kwargs": {"size": 5}},
    "learner": {"ppo": {"num_envs": 8, "total_steps": 10_000}},
    "architecture": {"layers": [{"kind": "dense", "units": 8}], "activation": "tanh"},
    "objective": {"extrinsic": {"weight": 1.0}},
    "editor": {"bandit": {"every_updates": 4}},
    "gate": {"max_parameters": None, "max_flops": None, "max_edits": None, "protect": []},
    "probes": {"held_out": {"episodes": 8}},
    "seed": 3,
    "salt": 0,
    "condition": {},
}
FAMILIES = {"objective", "compute", "data", "architecture", "oversight", "selection", "placebo"}
DOSES = (0, 0.05, 0.25, 0.5, 1, 2)


@pytest.fixture(params=catalogue().names("levers"))
def lever(request):
    return catalogue().load("levers", request.param)()


def test_is_a_frozen_dataclass_of_a_known_family(lever):
    assert isinstance(lever, Lever)
    assert dataclasses.is_dataclass(lever)
    assert lever.__dataclass_params__.frozen
    assert lever.family in FAMILIES
    assert isinstance(lever.neutral, typing.SupportsFloat)


def test_the_neutral_dose_leaves_the_spec_untouched(lever):
    assert lever.check(SPEC, lever.neutral) is None
    assert lever.apply(SPEC, lever.neutral) == SPEC


def test_some_dose_changes_the_spec_and_none_changes_its_input(lever):
    before = copy.deepcopy(SPEC)
    applied = [lever.apply(SPEC, dose) for dose in DOSES if lever.check(SPEC, dose) is None]

    assert before == SPEC
    assert any(each != SPEC for each in applied)


def test_what_it_returns_is_json_with_the_same_keys(lever):
    for dose in DOSES:
        if lever.check(SPEC, dose) is None:
            applied = lever.apply(SPEC, dose)

            assert json.loads(json.dumps(applied, allow_nan=False)) == applied
            assert applied.keys() == SPEC.keys()


def test_applying_twice_is_applying_once(lever):
    """Except for a factor, whose second application multiplies again."""
    for dose in DOSES:
        if lever.family != "compute" and lever.check(SPEC, dose) is None:
            once = lever.apply(SPEC, dose)
            assert lever.apply(once, dose) == once


def test_a_refusal_is_one_line(lever):
    for dose in (-1, 0.5, float("nan"), float("inf")):
        reason = lever.check(SPEC, dose)

        assert reason is None or (reason and "\n" not in reason)


def test_an_impossible_dose_is_refused(lever):
    assert lever.check(SPEC, -1) is not None
    assert lever.check(SPEC, float("nan")) is not None


def test_no_events_tell_nothing(lever):
    assert lever.manipulation_check([], lever.neutral) is None
    assert lever.contrast_check([], [], 2.0) is None
