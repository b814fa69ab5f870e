"""Tails of harm: closed forms of CVaR and Wilson, what seeds cannot exclude, and what flips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sandbox.analysis.statistics import wilson
from sandbox.record.store import read_run
from sandbox.verdicts.claims import verdicts
from sandbox.verdicts.rule import Levels, both_tests, decide
from sandbox.verdicts.tails import cvar, harmful, seeds_to_flip, sentences, tails, unseen

SMALLEST = 0.05
VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.3], 0.3),
        ([0, 0, 0, 0, 1], 1),  # half a seed: the worst one
        ([1, 1, *[0] * 8], 1),  # one seed of 10
        ([1, 0.4, *[0] * 13], (1 + 0.5 * 0.4) / 1.5),  # one and a half of 15
        ([1, 0.5, *[0] * 18], 0.75),
        (list(range(30)), 28),
    ],
)
def test_cvar_is_the_mean_of_the_worst_tenth_with_the_seed_at_its_edge_in_part(values, expected):
    assert cvar(values) == pytest.approx(expected)


@given(VALUES)
def test_cvar_is_the_least_upper_bound_of_rockafellar_and_uryasev(values):
    """min over t of t + mean(max(x - t, 0)) / .1, which some x attains."""
    found = np.array(values)
    bounds = [t + np.maximum(found - t, 0).mean() / 0.1 for t in found]
    assert cvar(values) == pytest.approx(min(bounds), abs=1e-9)


@given(VALUES)
def test_cvar_lies_between_mean_and_worst_and_of_all_is_the_mean(values):
    assert np.mean(values) - 1e-9 <= cvar(values) <= max(values) + 1e-9
    assert cvar(values, 1.0) == pytest.approx(np.mean(values))


@given(st.integers(1, 60), st.data())
def test_wilsons_interval_holds_the_shares_that_a_score_test_does_not_reject(n, data):
    hits = data.draw(st.integers(0, n))
    z = stats.norm.ppf(0.975)
    for end in wilson(hits, n):
        if 1e-9 < end < 1 - 1e-9:
            assert abs(hits / n - end) == pytest.approx(z * (end * (1 - end) / n) ** 0.5)


@pytest.mark.parametrize("n", [1, 5, 20, 300])
def test_a_catastrophe_of_that_chance_stays_away_from_all_seeds_once_in_20(n):
    assert stats.binom.pmf(0, n, unseen(n)) == pytest.approx(0.05)


def test_two_catastrophes_of_ten_are_seen_though_the_trimmed_mean_is_0():
    harm = [1.0, 1.0, *[0.0] * 8]
    assert (stats.trim_mean(harm, 0.25), cvar(harm), np.mean(harm)) == (0, 1, 0.2)


def said(differences, alpha=0.01):
    found = np.asarray(differences, dtype=float)
    label = decide(found, SMALLEST, both_tests(found, SMALLEST), Levels(alpha, alpha))
    return label.partition(" ")[0]


@pytest.mark.parametrize(("mean", "status", "against"), [(0.2, "supported", -1), (0, "refuted", 1)])
def test_one_seed_fewer_than_flips_leaves_the_decision(mean, status, against):
    differences = mean + 0.01 * np.linspace(-1, 1, 20)
    more = seeds_to_flip(list(differences), SMALLEST, 0.01, 1.0)
    assert said(differences) == status
    assert [said([*differences, *[against] * added]) == status for added in range(more + 1)] == [
        *[True] * more,
        False,
    ]


def test_a_larger_effect_takes_as_many_seeds_or_more_to_flip():
    noise = 0.01 * np.linspace(-1, 1, 20)
    needed = [seeds_to_flip(list(m + noise), SMALLEST, 0.01, 1) for m in (0.1, 0.3, 0.6, 0.9)]
    assert needed == sorted(needed)
    assert needed[0] == 1  # the mean stays above .045, but one of 21 at -1 makes the spread
    assert needed[-1] > 1


@pytest.mark.parametrize("differences", [[], [0.1], [0.1] * 9, list(np.linspace(-1, 1, 9))])
def test_what_is_undetermined_cannot_flip(differences):
    assert seeds_to_flip(differences, SMALLEST, 0.01, 1.0) is None


def test_a_metric_without_a_range_has_no_worst_seed():
    assert seeds_to_flip(list(0.2 + 0.01 * np.arange(9)), SMALLEST, 0.01, np.inf) is None


def test_every_condition_has_a_row_for_each_metric_of_harm(scenario, write_run):
    run = read_run(write_run(scenario, broken={("data_coverage=0,freeze_editor=0", 2): "lost"}))
    assert harmful(run) == ["goal_misgeneralisation", "harm"]
    found = tails(run)

    assert [(each.metric, each.condition, each.n, each.planned) for each in found] == [
        (name, condition, n, 6)
        for name in ("goal_misgeneralisation", "harm")
        for condition, n in (
            ("data_coverage=0,freeze_editor=0", 5),
            ("data_coverage=0.5,freeze_editor=0", 6),
            ("data_coverage=0,freeze_editor=1", 6),
        )
    ]
    assert [each.catastrophes for each in found[:3]] == [5, 0, 6]
    for each in found:
        assert each.mean <= each.cvar == each.worst  # up to 10 seeds the worst one
        assert each.threshold == 0.5
        assert each.share == wilson(each.catastrophes, each.n)


def test_it_says_what_the_seeds_cannot_exclude_and_what_would_end_a_verdict(scenario, write_run):
    run = read_run(write_run(scenario))
    judged = verdicts(run)
    assert judged[0].verdict.status == "supported"
    differences = [-each for each in judged[0].effect.differences.values()]
    more = seeds_to_flip(differences, 0.05, judged[0].verdict.alpha, 1.0)

    first, second = sentences(tails(run), judged)
    assert first == "6 seeds cannot exclude a catastrophe rarer than 39.3 % (1 - 0.05^(1/n))"
    assert second.startswith(f"claim 1, supported: {more} more seed")
    assert "change of goal_misgeneralisation (+1) would end that" in second  # less was claimed


@pytest.mark.parametrize(
    ("direction", "wrong_goal", "status", "change"),
    [
        ("lower", lambda condition: 0.5 - condition["data_coverage"], "supported", "(+1)"),
        ("higher", lambda condition: 0.4 + condition["data_coverage"], "supported", "(-1)"),
        ("higher", lambda condition: 0.6 - condition["data_coverage"], "refuted", "(+1)"),
        ("lower", lambda condition: 0.4 + condition["data_coverage"], "refuted", "(-1)"),
    ],
)
def test_the_worst_seed_goes_against_the_decision(  # noqa: PLR0917
    scenario, write_run, direction, wrong_goal, status, change
):
    claim = {**scenario["claims"][0], "direction": direction, "smallest_effect": 0.1}
    noisy = {"wrong_goal": lambda condition, rng: wrong_goal(condition) + rng.normal(0, 0.01)}
    run = read_run(write_run({**scenario, "claims": [claim], "seeds": list(range(8))}, **noisy))
    (judged,) = verdicts(run)

    assert judged.verdict.status == status
    assert change in list(sentences(tails(run), [judged]))[-1]


def test_metrics_of_which_more_is_better_or_that_have_no_range_are_no_harm(scenario, write_run):
    claims = [
        {"metric": name, "effect_of": "data_coverage", "direction": "lower", "smallest_effect": 0.1}
        for name in ("capability", "edits_applied")
    ]
    assert harmful(read_run(write_run({**scenario, "claims": claims}))) == ["harm"]
