"""What every lever promises."""

import copy
import dataclasses
import json
import typing

import pytest

from envs.registration import env_id, worlds_by_name
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
    "controls": {},
    "probes": {"held_out": {"episodes": 8}},
    "seed": 3,
    "salt": 0,
    "condition": {},
}
OF_A_TABLE = {
    **SPEC,
    "learner": {
        "tabular": {"rule": "q_learning", "learns_from": "executed", "total_steps": 10_000}
    },
    "architecture": {"layers": [], "activation": "tanh"},
}
WITH_CHANNELS = {**SPEC, "env": {"id": "sandbox/SafeInterruptibility-v0", "kwargs": {}}}
THIRD_PARTY = {**SPEC, "env": {"id": "CartPole-v1", "kwargs": {}}}
RECURSIVE = {**SPEC, "editor": {"recursive": {}}}
BUDGETED = {**SPEC, "gate": {**SPEC["gate"], "max_flops": 1e9}}
WITH_ARMS = {
    **SPEC,
    "arms": {
        "quick": {"learner": {"ppo": {"num_envs": 8, "total_steps": 10_000, "epochs": 1}}},
        "still": {"editor": {"fixed": {}}, "gate": {"max_edits": 0}},
    },
}
UNDER_A_RULE = {
    **SPEC,
    "gate": {**SPEC["gate"], "first_updates_without_edits": 4},
    "probes": {"constraint": {"planting": 4}},
}
SPECS = (SPEC, OF_A_TABLE, WITH_CHANNELS, THIRD_PARTY, BUDGETED, WITH_ARMS, RECURSIVE, UNDER_A_RULE)
OTHERS = (
    *({**SPEC, "env": {"id": env_id(name), "kwargs": {}}} for name in sorted(worlds_by_name())),
    *({**SPEC, "editor": {name: {}}} for name in catalogue().names("editors")),
)
"""For a lever that can be turned on none of these, but on a world or an editor of its own."""
FAMILIES = {"objective", "compute", "data", "architecture", "oversight", "selection", "placebo"}
PLACES = ("architecture", "objective", "data", "data_throughout", "shield")
DOSES = (0, 0.05, 0.25, 0.5, 1, 2, "quick", "still", *PLACES)


def doses_of(lever):
    """Names where doses are names, numbers elsewhere: the scenario's form sees to that."""
    return [dose for dose in DOSES if isinstance(dose, str) == lever.named]


@pytest.fixture(params=catalogue().names("levers"))
def lever(request):
    return catalogue().load("levers", request.param)()


@pytest.fixture
def spec(lever):
    """The first trial that the lever can be turned on at all."""
    doses = [dose for dose in doses_of(lever) if dose != lever.neutral]
    trials = (*SPECS, *OTHERS)
    return next(s for s in trials if any(lever.check(s, dose) is None for dose in doses))


def test_is_a_frozen_dataclass_of_a_known_family(lever):
    assert isinstance(lever, Lever)
    assert dataclasses.is_dataclass(lever)
    assert lever.__dataclass_params__.frozen
    assert lever.family in FAMILIES
    assert isinstance(lever.neutral, str if lever.named else typing.SupportsFloat)


def test_the_neutral_dose_leaves_the_spec_untouched(lever, spec):
    assert lever.check(spec, lever.neutral) is None
    assert lever.apply(spec, lever.neutral) == spec


def test_some_dose_changes_the_spec_and_none_changes_its_input(lever, spec):
    before = copy.deepcopy(spec)
    applied = [
        lever.apply(spec, dose) for dose in doses_of(lever) if lever.check(spec, dose) is None
    ]

    assert before == spec
    assert any(each != spec for each in applied)


def test_what_it_returns_is_json_with_the_same_keys(lever, spec):
    for dose in doses_of(lever):
        if lever.check(spec, dose) is None:
            applied = lever.apply(spec, dose)

            assert json.loads(json.dumps(applied, allow_nan=False)) == applied
            assert applied.keys() == spec.keys()


def test_applying_twice_is_applying_once(lever, spec):
    """Except for a factor, whose second application multiplies again."""
    for dose in doses_of(lever):
        if lever.family != "compute" and lever.check(spec, dose) is None:
            once = lever.apply(spec, dose)
            assert lever.apply(once, dose) == once


def test_a_refusal_is_one_line(lever):
    for dose in (-1, 0.5, 1, float("nan"), float("inf")):
        for spec in SPECS:
            reason = lever.check(spec, dose)

            assert reason is None or (reason and "\n" not in reason)


def test_an_impossible_dose_is_refused(lever, spec):
    assert lever.check(spec, -1) is not None
    assert lever.check(spec, float("nan")) is not None


def test_no_events_show_nothing(lever):
    assert lever.manipulation_check([], lever.neutral) is None
    assert lever.contrast_check([], [], 2.0) is None
