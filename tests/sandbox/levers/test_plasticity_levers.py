"""Levers against loss of plasticity and the metrics that show it: known answers."""

from itertools import combinations

import pytest

from sandbox.catalogue import catalogue
from sandbox.record.events import Edited, TrialStarted, Updated
from sandbox.scenario.trials import overlap, touched

SPEC = {
    "env": {"id": "sandbox/RandomLabels-v0", "kwargs": {"inputs": 48}},
    "learner": {"supervised": {"total_steps": 1000, "replacement_rate": 0.0, "pull_to_birth": 0}},
    "architecture": {
        "layers": [{"kind": "dense", "units": 8}, {"kind": "dense", "units": 6}],
        "activation": "relu",
    },
    "editor": {"fixed": {}},
    "controls": {},
    "seed": 0,
    "salt": 0,
}
DOSES = {"continual_backprop": 1e-3, "pull_to_birth": 1e-2, "layer_norm": 1, "redo": 4}
NUMBERS = {"continual_backprop": "replacement_rate", "pull_to_birth": "pull_to_birth"}


def lever(name):
    return catalogue().load("levers", name)()


def metric(name):
    return catalogue().load("metrics", name)()


def started(**genome):
    return TrialStarted("t", "e", 0, {}, ("agent",), {}, {"agent": genome})


def updated(update, episodes=0, agent="agent", **losses):
    return Updated(agent, update, 64 * update, 1e6, 10, episodes, None, losses=losses)


def edited(update, edit="reset_dormant", applied=True):
    return Edited("agent", update, 1, 1, edit, {}, "architecture", applied, "", "", {}, 10)


def test_no_two_of_them_touch_the_same_key():
    paths = {k: set(touched(SPEC, lever(k).apply(SPEC, dose))) for k, dose in DOSES.items()}
    assert all(paths.values())
    for one, other in combinations(paths.values(), 2):
        assert overlap(one, other) is None


@pytest.mark.parametrize(("name", "setting"), NUMBERS.items())
def test_a_number_of_the_rule_is_set_refused_and_read_back(name, setting):
    turned = lever(name).apply(SPEC, 0.02)
    assert turned["learner"]["supervised"][setting] == 0.02
    assert lever(name).check(SPEC, 0.02) is None
    assert f"learner 'tabular' has no '{setting}'" in lever(name).check(
        {**SPEC, "learner": {"tabular": {}}}, 0.02
    )
    assert f"sets '{setting}' itself" in lever(name).check(turned, 0.03)
    assert setting in lever(name).check(SPEC, 101.0)
    there = [started(learning_rule={setting: 0.02})]
    assert lever(name).manipulation_check(there, 0.02) is True
    assert lever(name).manipulation_check(there, 0.0) is False


def test_norms_stand_before_the_first_layer_and_after_every_one():
    turned = lever("layer_norm").apply(SPEC, 1)["architecture"]
    kinds = [(each["kind"], each["units"]) for each in turned["layers"]]
    assert kinds == [("norm", 48), ("dense", 8), ("norm", 8), ("dense", 6), ("norm", 6)]
    assert turned["activation"] == "relu"
    assert lever("layer_norm").manipulation_check([started(architecture=turned)], 1) is True
    assert lever("layer_norm").manipulation_check([started(architecture=turned)], 0) is False
    plain = [started(architecture=SPEC["architecture"])]
    assert lever("layer_norm").manipulation_check(plain, 1) is False
    assert lever("layer_norm").manipulation_check(plain, 0) is True


def test_norms_go_between_dense_layers_alone():
    residual = {"layers": [{"kind": "dense", "units": 8}, {"kind": "residual", "units": 8}]}
    for layers in ({"layers": []}, residual):
        refusal = lever("layer_norm").check({**SPEC, "architecture": layers}, 1)
        assert "norms go between dense layers" in refusal


def test_resets_come_as_often_as_the_dose_says():
    ((item,),) = [each["plan"] for each in lever("redo").apply(SPEC, 4)["editor"].values()]
    assert item == {"every": 4, "edit": "reset_dormant", "layer": -1, "tower": "all"}
    agent_run = [updated(update) for update in range(1, 13)]
    due = [edited(4), edited(8, applied=False)]  # after the last update nothing is proposed
    assert lever("redo").manipulation_check([*agent_run, *due], 4) is True
    assert lever("redo").manipulation_check([*agent_run, *due[:1]], 4) is False
    assert lever("redo").manipulation_check([*agent_run, *due, edited(5)], 4) is False
    assert lever("redo").manipulation_check(agent_run, 0) is None
    assert lever("redo").manipulation_check(agent_run[:3], 4) is None
    assert "no layers" in lever("redo").check({**SPEC, "architecture": {"layers": []}}, 4)
    assert "never (0), not 0.5" in lever("redo").check(SPEC, 0.5)


def test_final_accuracy_is_that_at_the_end_of_the_last_tenth_of_the_tasks():
    ends = [updated(2 * k, episodes=4, accuracy=k / 100) for k in range(1, 41)]
    within = [updated(2 * k + 1, accuracy=1.0) for k in range(1, 41)]
    found = metric("final_accuracy").compute([*ends, *within])
    assert found.value == pytest.approx((0.37 + 0.38 + 0.39 + 0.40) / 4)
    assert found.n == 4
    assert metric("final_accuracy").compute(ends[:5]).value == pytest.approx(0.05)
    assert metric("final_accuracy").compute(within).value is None


def test_dormancy_is_that_of_the_last_update_a_mean_over_agents():
    agent_run = [updated(1, dormant_share=1.0), updated(2, dormant_share=0.25)]
    agent_run += [updated(2, agent="other", dormant_share=0.75), updated(2, agent="third")]
    found = metric("dormancy").compute(agent_run)
    assert (found.value, found.n) == (0.5, 2)
