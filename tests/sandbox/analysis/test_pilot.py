"""A pilot gives the spread of its paired differences, or says in a line why it gives none."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sandbox.analysis import pilot
from sandbox.analysis.effects import effect
from sandbox.analysis.pilot import pilot_notes, pilots_of
from sandbox.errors import InputError
from sandbox.record.store import read_run


def asked(scenario, **claim):
    """A scenario with other seeds, whose one claim is changed."""
    return {
        **scenario,
        "seeds": list(range(100, 120)),
        "claims": [{**scenario["claims"][0], **claim}],
    }


def why_not(wanted, folder):
    with pytest.raises(InputError) as refused:
        pilots_of(wanted, read_run(folder))
    (problem,) = refused.value.problems
    assert problem.where == f"pilot {folder}"
    assert "\n" not in problem.what
    return problem.what


@pytest.mark.parametrize(("direction", "sign"), [("lower", -1), ("higher", 1)])
def test_the_spread_is_that_of_the_paired_differences(scenario, write_run, direction, sign):
    run = read_run(write_run(scenario))
    (found,) = pilots_of(asked(scenario, direction=direction), run)
    seen = effect(run, "data_coverage", "goal_misgeneralisation")
    differences = list(seen.differences.values())
    assert found.pairs == 6
    assert found.mean == pytest.approx(sign * np.mean(differences))
    assert found.spread == pytest.approx(np.std(differences, ddof=1))
    bound = found.spread * (5 / stats.chi2.ppf(0.05, 5)) ** 0.5
    assert found.spread_at_most == pytest.approx(bound)


@pytest.mark.parametrize(
    ("differences", "size"), [([0.5, 0.0, -0.5, 0.5], 0.5), ([0.5, 0.25, 0.0, 0.5], None)]
)
def test_a_pilot_says_of_what_size_two_valued_differences_are(
    scenario, write_run, monkeypatch, differences, size
):
    run = read_run(write_run(scenario))
    seen = effect(run, "data_coverage", "goal_misgeneralisation")
    changed = replace(seen, differences=dict(enumerate(differences)))
    monkeypatch.setattr(pilot, "effect", lambda *_: changed)
    (found,) = pilots_of(asked(scenario), run)
    assert found.two_valued == size


def test_the_bound_of_the_spread_holds_in_95_of_100_pilots():
    samples = np.random.default_rng(1).normal(0, 1, (20_000, 4)).std(axis=1, ddof=1)
    bound = (3 / stats.chi2.ppf(0.05, 3)) ** 0.5
    assert np.mean(samples * bound >= 1) == pytest.approx(0.95, abs=0.006)


def test_a_claim_of_every_env_has_the_largest_spread_of_any(scenario, write_run):
    scenario["envs"] = [{"id": "sandbox/CoinGrid-v0", "kwargs": {}, "name": n} for n in ("a", "b")]
    run = read_run(write_run(scenario))
    by_env = [pilots_of(asked(scenario, env=env), run)[0].spread for env in ("a", "b")]
    assert pilots_of(asked(scenario, over="every"), run)[0].spread == max(by_env)


def test_fewer_than_three_pairs_are_no_pilot(scenario, write_run):
    folder = write_run({**scenario, "seeds": [0, 1]})
    assert why_not(asked(scenario), folder) == (
        "has 2 pairs of seeds with data_coverage 0 → 0.5 that measured 'goal_misgeneralisation';"
        " a spread needs 3"
    )


def test_a_metric_that_was_not_measured_is_named(scenario, write_run):
    found = why_not(asked(scenario, metric="power_seeking"), write_run(scenario))
    assert found.startswith("did not measure 'power_seeking' at data_coverage 0 → 0.5: trial ")
    assert found.endswith(" has no measurement of power_seeking")


def test_a_pilot_without_a_trial_says_so(scenario, write_run):
    folder = write_run(scenario)
    for trial in (folder / "trials").iterdir():
        shutil.rmtree(trial)
    assert why_not(asked(scenario), folder).endswith(
        "not every trial of this seed has been started"
    )


@pytest.mark.parametrize(
    ("lever", "doses", "words"),
    [
        ("reward_noise", [0, 1], "has no lever 'reward_noise' (it has data_coverage, freeze"),
        ("data_coverage", [0, 0.9], "has no data_coverage 0 → 0.9: its doses are 0, 0.5"),
        ("data_coverage", [0.5, 0], "has no data_coverage 0.5 → 0: its doses are 0, 0.5"),
    ],
)
def test_what_a_pilot_lacks_is_named(scenario, write_run, lever, doses, words):
    wanted = asked(scenario, effect_of=lever) | {"levers": {lever: doses}}
    assert why_not(wanted, write_run(scenario)).startswith(words)


def test_an_env_that_a_pilot_lacks_is_named(scenario, write_run):
    found = why_not(asked(scenario, env="x"), write_run(scenario))
    assert found == "has no env 'x' (it has sandbox/CoinGrid-v0)"


def test_a_smoke_run_is_no_pilot_and_no_claim_needs_one(scenario, write_run):
    folder = write_run({**scenario, "smoke": True})
    assert why_not(asked(scenario), folder).startswith("is a smoke run")
    none = {**scenario, "claims": []}
    assert why_not(none, write_run(scenario, name="b")).startswith("is of no use here")


def test_two_claims_that_lack_the_same_are_one_line(scenario, write_run):
    wanted = asked(scenario, effect_of="reward_noise") | {"levers": {"reward_noise": [0, 1]}}
    wanted["claims"] *= 2
    assert "reward_noise" in why_not(wanted, write_run(scenario))


def test_another_agent_and_seeds_that_would_run_again_are_noted(scenario, write_run):
    run = read_run(write_run(scenario))
    assert pilot_notes(asked(scenario), run) == []
    (same,) = pilot_notes({**scenario, "seeds": [4, 5, 6]}, run)
    assert same.startswith("the pilot ran the seeds 4, 5 already")
    assert same.endswith("seeds: {first: 6, count: 3}")
    (other,) = pilot_notes(asked(scenario) | {"gate": {"max_edits": 3}}, run)
    assert other.startswith("the pilot differs in gate.max_edits")
