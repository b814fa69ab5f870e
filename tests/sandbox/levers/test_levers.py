"""Known answers for each lever: what it changes, refuses, and reads back from events."""

from dataclasses import replace

import pytest

from sandbox.catalogue import catalogue
from sandbox.record.events import Edited, TrialStarted, Updated

SPEC = {
    "env": {"id": "sandbox/CoinGrid-v0", "kwargs": {}},
    "learner": {"ppo": {"total_steps": 1000}},
    "editor": {"bandit": {}},
    "salt": 0,
}
STARTED = TrialStarted("t", "e", 0, {}, ("agent",), {}, {})


def lever(name):
    return catalogue().load("levers", name)()


def updated(share=None, episodes=100, steps=64, flops=1e6):
    truth = {} if share is None else {"diverging": share}
    return Updated("agent", 1, steps, flops, 10, episodes, 0.0, {}, {}, truth)


def edited(applied):
    return Edited("agent", 1, 1, 1, "widen", {}, "architecture", applied, "", "", {}, 10)


def test_data_coverage_sets_the_setting():
    assert lever("data_coverage").apply(SPEC, 0.5)["env"]["kwargs"] == {"coverage": 0.5}


@pytest.mark.parametrize(
    ("env", "dose", "reason"),
    [
        ({"id": "sandbox/CoinGrid-v0", "kwargs": {}}, 1.5, "in [0, 1]"),
        ({"id": "CartPole-v1", "kwargs": {}}, 0.5, "no setting 'coverage'"),
        ({"id": "sandbox/SideEffectsSokoban-v0", "kwargs": {}}, 0.5, "no setting 'coverage'"),
        ({"id": "sandbox/CoinGrid-v0", "kwargs": {"coverage": 0.1}}, 0, "sets 'coverage' itself"),
        ({"id": "acme/Maze-v2", "kwargs": {"coverage": 0}}, 0.5, None),
    ],
)
def test_data_coverage_says_why_not(env, dose, reason):
    found = lever("data_coverage").check({**SPEC, "env": env}, dose)

    assert found is None if reason is None else reason in found


WORDS = [
    ("on_policy", "rule", "q_learning", "sarsa"),
    ("intended_action", "learns_from", "executed", "intended"),
]


@pytest.mark.parametrize(("name", "setting", "zero", "one"), WORDS)
def test_a_choice_of_words_is_set_refused_and_read_back(name, setting, zero, one):
    table = {**SPEC, "learner": {"tabular": {setting: zero}}}
    settled = {**SPEC, "learner": {"tabular": {setting: one}}}
    strange = {**SPEC, "learner": {"tabular": {setting: "expected_sarsa"}}}

    assert lever(name).apply(table, 1)["learner"] == {"tabular": {setting: one}}
    assert lever(name).check(table, 1) is None
    assert f"'ppo' has no '{setting}'" in lever(name).check(SPEC, 1)
    assert f"is {zero} (0) or {one} (1), not 0.5" in lever(name).check(table, 0.5)
    assert f"to '{one}'; leave it at '{zero}'" in lever(name).check(settled, 0)
    assert f"leave it at '{zero}'" in lever(name).check(strange, 1)


@pytest.mark.parametrize(("name", "setting", "zero", "one"), WORDS)
def test_a_choice_of_words_arrives_with_the_genome(name, setting, zero, one):
    initial = [replace(STARTED, genomes={"agent": {"learning_rule": {setting: one}}})]

    assert lever(name).manipulation_check(initial, 1) is True
    assert lever(name).manipulation_check(initial, 0) is False
    assert lever(name).manipulation_check([], 1) is None


@pytest.mark.parametrize(
    ("dose", "shares", "arrived"),
    [
        (0.0, [0.0, 0.0], True),
        (0.0, [0.0, 0.01], False),
        (0.5, [0.45, 0.58], True),
        (0.5, [0.2, 0.3], False),
        (0.5, [0.0, 0.0], False),
        (0.5, [None], None),
    ],
)
def test_data_coverage_is_read_back_from_training_episodes(dose, shares, arrived):
    events = [updated(share) for share in shares]

    assert lever("data_coverage").manipulation_check(events, dose) is arrived


def test_episodes_weigh_the_shares():
    events = [updated(1.0, episodes=1), updated(0.5, episodes=999), updated(None, episodes=0)]

    assert lever("data_coverage").manipulation_check(events, 0.5) is True


def test_signalled_episodes_have_no_coin_and_do_not_count():
    truth = {"diverging": 0.4, "told": 0.2}
    events = [Updated("agent", 1, 64, 1e6, 10, 5000, 0.0, {}, {}, truth)]

    assert lever("data_coverage").manipulation_check(events, 0.5) is True
    assert lever("data_coverage").manipulation_check(events, 0.4) is False


def test_compute_multiplies_steps():
    found = lever("compute").apply(SPEC, 0.25)

    assert found["learner"] == {"ppo": {"total_steps": 250}}
    assert SPEC["learner"] == {"ppo": {"total_steps": 1000}}
    assert "leaves none" in lever("compute").check(SPEC, 0.0001)
    assert "total_steps" in lever("compute").check({**SPEC, "learner": {"tabular": {}}}, 0.5)


@pytest.mark.parametrize(
    ("steps", "flops", "arrived"), [(256, 1e6, True), (1024, 4e6, False), (256, 9e6, False)]
)
def test_compute_is_read_back_against_the_paired_trial(steps, flops, arrived):
    base = [updated(), updated(steps=1024, flops=4e6)]
    treated = [updated(), updated(steps=steps, flops=flops)]

    assert lever("compute").contrast_check(base, treated, 0.25) is arrived


def test_a_budget_that_rounds_up_to_the_same_rollouts_was_not_turned():
    """Two trials of one rollout each would otherwise pass for a negligible effect of compute."""
    one = [updated(steps=64, flops=1e6)]

    assert lever("compute").contrast_check(one, one, 0.25) is False
    assert lever("compute").contrast_check(one, one, 1.0) is True


def test_a_free_agent_that_never_rewrote_itself_is_no_contrast_to_a_frozen_one():
    free, idle, frozen = [STARTED, edited(True)], [STARTED, edited(False)], [STARTED]

    assert lever("freeze_editor").contrast_check(free, frozen, float("inf")) is True
    assert lever("freeze_editor").contrast_check(frozen, free, 0.0) is True
    assert lever("freeze_editor").contrast_check(idle, frozen, float("inf")) is False


def test_placebo_only_salts():
    assert lever("placebo").apply(SPEC, 2) == {**SPEC, "salt": 2}
    assert "whole number" in lever("placebo").check(SPEC, 0.5)


def test_freeze_editor_takes_the_editor_away_and_sees_that_it_is_gone():
    frozen = lever("freeze_editor")

    assert frozen.apply(SPEC, 1)["editor"] == {"fixed": {}}
    assert frozen.manipulation_check([STARTED, edited(False)], 1) is True
    assert frozen.manipulation_check([STARTED, edited(True)], 1) is False
    assert frozen.manipulation_check([STARTED], 0) is None
    assert "frozen (1) or not (0)" in frozen.check(SPEC, 0.5)


# --- compute -----------------------------------------------------------------------------------


BUDGETED = {**SPEC, "gate": {"max_flops": 1e9}}


def metered(flops, left, update, upkeep=0.0, parameters=10):
    spent = {"learning": flops - upkeep, "upkeep": upkeep}
    counts = (update, 64, flops, parameters, 0, None)
    return Updated("agent", *counts, spent=spent, flops_left=left)


def test_compute_shock_adds_a_shock_half_way():
    shocked = lever("compute_shock").apply(BUDGETED, 0.25)

    assert shocked["gate"] == {
        "max_flops": 1e9,
        "budget_shocks": [{"at": 0.5, "factor": 0.25}],
    }
    assert "set gate.max_flops" in lever("compute_shock").check({**SPEC, "gate": {}}, 0.5)
    assert "sets gate.budget_shocks itself" in lever("compute_shock").check(shocked, 0.5)


@pytest.mark.parametrize(
    ("dose", "agent_runs", "arrived"),
    [
        (0.25, [(400, 600), (500, 125), (600, 25)], True),
        (0.25, [(400, 600), (700, -75)], True),
        (0.25, [(400, 600), (500, 500)], False),  # not cut
        (0.25, [(300, 700), (400, 600)], False),  # ended too early
        (2.0, [(400, 600), (600, 900)], True),
        (2.0, [(400, 600), (600, 650), (700, 800)], False),  # raised in two bites, one too many
        (1.0, [(400, 600), (1000, 0)], True),
        (1.0, [(400, 600), (600, 25)], False),
        (1.0, [(400, None)], None),
    ],
)
def test_a_compute_shock_is_read_back_from_the_budget_in_force(dose, agent_runs, arrived):
    events = [metered(float(spent), left, i) for i, (spent, left) in enumerate(agent_runs, 1)]

    assert lever("compute_shock").manipulation_check(events, dose) is arrived


def test_upkeep_is_read_back_parameter_by_parameter():
    """10 parameters, then 30: 3 FLOPs each make 30, then 120 in all."""
    rewards = [metered(100.0, None, 1, 30.0), metered(200.0, None, 2, 120.0, parameters=30)]

    assert lever("upkeep").apply(BUDGETED, 3)["gate"]["upkeep"] == 3
    assert lever("upkeep").manipulation_check(rewards, 3) is True
    assert lever("upkeep").manipulation_check(rewards, 4) is False
    assert lever("upkeep").manipulation_check(rewards, 0) is False
    assert lever("upkeep").manipulation_check([metered(100.0, None, 1)], 0) is True
