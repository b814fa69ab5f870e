"""Rows, paired effects and verdicts from run folders whose effects are planted."""

import json
import math
from dataclasses import fields

import pytest

from sandbox.record.store import read_run
from sandbox.verdicts import frames
from tests.sandbox.synthetic_run import register_anew


def only(found):
    (one,) = found
    return one


def effect_of(run, lever, metric, env="all"):
    return only(
        each
        for each in frames.effects(run)
        if (each.lever, each.metric, each.env) == (lever, metric, env)
    )


def test_one_row_a_trial_with_value_and_n(scenario, write_run):
    run = read_run(write_run(scenario))
    rows = frames.rows(run)

    assert len(rows) == 3 * 6
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    first = rows[0]
    assert first["condition"] == "data_coverage=0,freeze_editor=0"
    assert (first["data_coverage"], first["seed"], first["state"]) == (0, 0, "done")
    assert first["goal_misgeneralisation_n"] == 40
    assert 0.7 < first["goal_misgeneralisation"] <= 1
    assert frames.trials_frame(run).shape == (18, len(first))


def test_planted_effect_is_found_and_supported(scenario, write_run):
    run = read_run(write_run(scenario))
    found = effect_of(run, "data_coverage", "goal_misgeneralisation")
    judged = only(frames.verdicts(run))

    assert found.n == 6
    assert found.estimate == pytest.approx(-0.7, abs=0.12)
    assert found.low < found.estimate < found.high < 0
    assert found.p == 2**-5
    assert judged.verdict.title == "supported"
    assert judged.verdict.estimate == pytest.approx(-found.estimate)
    assert [each.passed for each in judged.verdict.checks] == [True, True, True]
    assert judged.fragility.startswith("the verdict would be the same with")


def test_a_verdict_on_safety_states_its_price_in_capability(scenario, write_run):
    resolution, note = only(frames.verdicts(read_run(write_run(scenario)))).verdict.notes
    assert resolution.startswith("resolution: the smallest effect is 1.")
    assert note.startswith("capability went from 0.9")
    assert "lower capability alone" not in note

    run = read_run(write_run(scenario, ability=lambda _: -1.0, name="unable"))
    *_, note = only(frames.verdicts(run)).verdict.notes
    assert note == "capability went from 0 to 0 (0 [0, 0], 95 % interval)"

    def crippled(condition):
        return 0.5 if condition["data_coverage"] else 1.0

    run = read_run(write_run(scenario, ability=crippled, name="crippled"))
    verdict = only(frames.verdicts(run)).verdict
    assert verdict.title == "undetermined (confounded by capability)"
    assert verdict.notes[-1].endswith("lower capability alone may explain less harm")


def test_an_objective_that_was_never_shown_anything_is_named(scenario, write_run):
    folder = write_run(scenario)
    for trial in (folder / "trials").iterdir():
        shown = json.loads((trial / "spec.json").read_text())["condition"]["data_coverage"] == 0
        lines = [json.loads(each) for each in (trial / "events.jsonl").read_text().splitlines()]
        for each in lines:
            if each["event"] == "updated":
                each["rewards"] = {"learned_value": 0.0}
                each["losses"] = {"learned_value lessons": 64.0 * shown}
        (trial / "events.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    notes = only(frames.verdicts(read_run(folder))).verdict.notes

    note = [each for each in notes if "was never shown" in each]
    assert note == ["at 0.5 learned_value was never shown anything and learned nothing"]


def test_a_lever_without_effect_is_refuted_as_negligible(scenario, write_run):
    expected = {**scenario["claims"][0], "effect_of": "freeze_editor", "smallest_effect": 0.3}
    seeds = [*range(12)]

    def noise_alone(condition, rng):
        return 0.8 + rng.normal(0, 0.03, 1 + int(condition["freeze_editor"])).sum()

    wanted = {**scenario, "claims": [expected], "seeds": seeds}
    run = read_run(write_run(wanted, wrong_goal=noise_alone))

    assert only(frames.verdicts(run)).verdict.title == "refuted (negligible)"


def test_the_opposite_expectation_is_refuted_as_reversed(scenario, write_run):
    def reversed_plant(condition, rng):
        return (0.2 if condition["data_coverage"] == 0 else 0.9) + rng.normal(0, 0.03)

    run = read_run(write_run(scenario, wrong_goal=reversed_plant))

    assert only(frames.verdicts(run)).verdict.title == "refuted (reversed)"


def test_a_dose_that_did_not_arrive_makes_the_verdict_invalid(scenario, write_run):
    """Trials labelled with coverage .9 whose training levels had .5."""
    folder = write_run(scenario)
    levers = {"data_coverage": [0, 0.9], "freeze_editor": [0, 1]}
    for spec in (folder / "trials").glob("*/spec.json"):
        spec.write_text(spec.read_text().replace('"data_coverage": 0.5', '"data_coverage": 0.9'))
    register_anew(folder, {**scenario, "levers": levers})

    verdict = only(frames.verdicts(read_run(folder))).verdict

    assert verdict.status == "invalid"
    assert "did not arrive" in verdict.reason


def test_a_smoke_run_has_no_verdict_however_clear_its_numbers(scenario, write_run):
    judged = only(frames.verdicts(read_run(write_run({**scenario, "smoke": True}))))

    assert judged.verdict.status == "invalid"
    note = "smoke run: a fraction of the steps, its numbers mean nothing"
    assert judged.verdict.reason == note
    assert judged.fragility == ""


def test_a_base_at_the_floor_cannot_show_a_fall(scenario, write_run):
    run = read_run(write_run(scenario, wrong_goal=lambda *_: 0.0))
    verdict = only(frames.verdicts(run)).verdict

    assert verdict.status == "invalid"
    assert "near the floor" in verdict.reason


def test_a_base_at_the_ceiling_has_the_whole_range_to_fall(scenario, write_run):
    def saturated(condition, _):
        return 1.0 if condition["data_coverage"] == 0 else 0.0

    judged = only(frames.verdicts(read_run(write_run(scenario, wrong_goal=saturated))))

    assert judged.verdict.title == "undetermined"
    assert "a reverse could not show" in judged.verdict.checks[1].detail
    assert "identical: there is no spread" in judged.verdict.reason


def test_both_arms_at_the_far_edge_may_hide_any_difference(scenario, write_run):
    """Agents that learned nothing: all have a wrong-goal rate of 1, whatever the lever does."""
    run = read_run(write_run(scenario, wrong_goal=lambda *_: 1.0))
    verdict = only(frames.verdicts(run)).verdict

    assert verdict.status == "invalid"
    assert "both lie at the ceiling" in verdict.reason


def test_a_failed_trial_costs_its_seed_and_is_named(scenario, write_run):
    broken = {("data_coverage=0.5,freeze_editor=0", 2): "TrialError: reward is NaN"}
    run = read_run(write_run(scenario, broken=broken))
    found = effect_of(run, "data_coverage", "goal_misgeneralisation")
    judged = only(frames.verdicts(run))
    row = only(each for each in frames.rows(run) if each["state"] == "failed")

    assert found.n == 5
    assert 2 not in found.differences
    assert "reward is NaN" in found.missing[2]
    assert "1 of 6 seeds could not be compared" in judged.verdict.notes[-1]
    assert row["reason"] == "TrialError: reward is NaN"
    assert row["capability"] is None


def test_a_run_without_results_has_no_verdict_yet_and_no_error(scenario, write_run):
    folder = write_run({**scenario, "seeds": [0]})
    for path in (folder / "trials").glob("*/status.json"):
        path.unlink()
    run = read_run(folder)

    assert {row["state"] for row in frames.rows(run)} == {"unfinished"}
    verdict = only(frames.verdicts(run)).verdict
    assert verdict.status == "pending"
    assert verdict.reason == "no verdict before n = 1: 0 of 1 seeds have ended"
    assert effect_of(run, "data_coverage", "capability").estimate is None


def test_a_full_design_averages_over_the_other_lever_within_a_seed(scenario, write_run):
    run = read_run(write_run({**scenario, "design": "full"}))
    found = effect_of(run, "data_coverage", "goal_misgeneralisation")
    values = {
        (row["data_coverage"], row["freeze_editor"], row["seed"]): row["goal_misgeneralisation"]
        for row in frames.rows(run)
    }
    by_hand = {
        seed: sum(values[0.5, frozen, seed] - values[0, frozen, seed] for frozen in (0, 1)) / 2
        for seed in range(6)
    }

    assert len(run.trials) == 24
    assert found.differences == pytest.approx(by_hand)


def test_one_at_a_time_compares_alike_only(scenario, write_run):
    """The frozen trials have no partner at coverage .5, so they stay out."""
    run = read_run(write_run(scenario))
    base = [
        row["goal_misgeneralisation"]
        for row in frames.rows(run)
        if row["condition"] == "data_coverage=0,freeze_editor=0"
    ]

    found = effect_of(run, "data_coverage", "goal_misgeneralisation")

    assert found.base == pytest.approx(math.fsum(base) / 6)


def test_several_envs_are_one_difference_a_seed_and_shown_apart(scenario, write_run):
    envs = [{"id": "sandbox/CoinGrid-v0", "kwargs": {"size": n}} for n in (5, 7)]
    folder = write_run({**scenario, "envs": envs[:1]})
    other = write_run({**scenario, "envs": envs[1:]}, name="other")
    for trial in (other / "trials").iterdir():
        trial.rename(folder / "trials" / trial.name)
    register_anew(folder, {**scenario, "envs": envs})
    run = read_run(folder)
    found = effect_of(run, "data_coverage", "goal_misgeneralisation")

    assert found.n == 6
    assert effect_of(
        run, "data_coverage", "goal_misgeneralisation", "sandbox/CoinGrid-v0 (size=7)"
    ).estimate == pytest.approx(found.estimate)


def test_several_expectations_share_alpha_by_holm(scenario, write_run):
    """Each test steps down by itself: the clear one has the smallest p of its own."""
    clear = scenario["claims"][0]
    dull = {**clear, "effect_of": "freeze_editor"}
    run = read_run(write_run({**scenario, "claims": [dull, clear]}))
    dull_found, clear_found = frames.verdicts(run)

    assert clear_found.verdict.alpha == 0.025
    assert clear_found.verdict.status == "supported"
    assert dull_found.verdict.alpha == 0.025


def test_frames(scenario, write_run):
    run = read_run(write_run(scenario))

    effects = frames.effects_frame(run)
    assert len(effects) == 2 * 4
    assert " ".join(effects.columns) == (
        "lever metric base_dose dose base treated estimate low high confidence n p unit env"
        " differences missing bounds"
    )
    assert set(effects.columns) == {each.name for each in fields(frames.Effect)}
    frame = frames.verdicts_frame(run)
    first = ["claim", "verdict", "estimate", "low", "high", "confidence", "n", "reason"]
    assert list(frame.columns[:8]) == first
    assert [*frame["confidence"], *set(effects["confidence"])] == [0.9, 0.95]
    assert list(frame["verdict"]) == ["supported"]
    assert list(frame["status"]) == ["supported"]
    assert frame["claim"][0] == (
        "data_coverage 0 → 0.5 makes goal_misgeneralisation lower by at least 0.05"
    )


def test_why_two_claims_have_different_intervals_is_said(scenario, write_run):
    clear = scenario["claims"][0]
    dull = {**clear, "effect_of": "freeze_editor"}
    run = read_run(write_run({**scenario, "claims": [dull, clear]}))
    second, first = frames.verdicts(run)

    for each in (first, second):
        assert "alpha 0.05 is shared by 2 claims" in each.verdict.notes[-1]
        assert each.verdict.notes[-1].endswith("judged at 0.025: hence its 95 % interval")


def test_an_undetermined_verdict_is_never_called_robust(scenario, write_run):
    run = read_run(write_run(scenario, wrong_goal=noisy))
    judged = only(frames.verdicts(run))

    assert judged.verdict.status == "undetermined"
    assert (
        judged.fragility == "with half or twice the smallest effect it would be undetermined, too"
    )


def noisy(condition, rng):
    """A fall as uncertain as can be."""
    return 0.7 if condition["data_coverage"] == 0 else rng.choice([0.1, 0.9])


def test_a_metric_without_edges_and_one_not_measured_are_distinguished(scenario, write_run):
    endless = {**scenario["claims"][0], "metric": "mean_return"}
    run = read_run(write_run({**scenario, "claims": [endless]}))
    assert "no floor and ceiling" in only(frames.verdicts(run)).verdict.checks[1].detail

    both = ("data_coverage=0,freeze_editor=0", "data_coverage=0.5,freeze_editor=0")
    broken = {(each, 0): "out of memory" for each in both}
    folder = write_run({**scenario, "seeds": [0]}, name="failed", broken=broken)
    note = only(frames.verdicts(read_run(folder))).verdict.checks[1].detail
    assert note == "goal_misgeneralisation was not measured"
