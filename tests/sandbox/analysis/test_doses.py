"""Responses to doses that are planted, and Page's test against every outcome there is."""

import itertools
import math

import numpy as np
import pytest

from sandbox.analysis.doses import dose_responses, trend_of
from sandbox.analysis.effects import effects
from sandbox.analysis.statistics import t_interval
from sandbox.record.store import read_run

DOSES = [0, 0.1, 0.3, 1.0]


def by_dose(table):
    """A row a seed -> seed -> value at each dose."""
    return [dict(enumerate(column)) for column in np.asarray(table, dtype=float).T]


def p_values(rows):
    """Two-sided p of every arrangement of each row, all equally likely without any effect."""
    arrangements = itertools.product(*(set(itertools.permutations(row)) for row in rows))
    return np.array([trend_of(by_dose(each)).p for each in arrangements])


def page(table):
    return float((np.asarray(table) * np.arange(1, len(table[0]) + 1)).sum())


def test_p_is_the_share_of_all_arrangements_that_are_as_far_out_twice():
    seen = [(1, 2, 3), (1, 3, 2), (1, 2, 3)]
    every = [
        page(each)
        for each in itertools.product(itertools.permutations((1, 2, 3)), repeat=len(seen))
    ]
    found = trend_of(by_dose(seen))

    assert found.p == pytest.approx(2 * np.mean(np.array(every) >= page(seen)))
    assert (found.n, found.towards, found.exact) == (3, "higher", True)


@pytest.mark.parametrize(("doses", "seeds"), [(3, 2), (3, 6), (4, 3), (6, 40)])
def test_where_every_seed_rises_p_is_twice_one_arrangement_in_all(doses, seeds):
    found = trend_of(by_dose(np.cumsum(np.ones((seeds, doses)), axis=1)))

    assert found.p == pytest.approx(2 * math.factorial(doses) ** -float(seeds))
    assert found.exact


def test_without_an_effect_false_alarms_are_as_frequent_as_p_says_and_never_more():
    """All 216 arrangements of three seeds: P(p <= a) is at most a, and is a where a can be met."""
    found = p_values([(1, 2, 3)] * 3)

    for level in set(found[found < 1]):
        assert np.mean(found <= level) == pytest.approx(level)


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 0, 1)] * 4,
        [(0, 1, 1), (0, 0, 1), (0, 1, 2)],
        [(0, 0, 0, 1)] * 3,
        [(0, 0, 1, 1), (0, 1, 1, 1), (0, 0, 0, 0)],
    ],
)
def test_ties_make_false_alarms_rarer_than_p_says(rows):
    found = p_values(rows)

    assert found.min() < 0.5
    assert all(np.mean(found <= level) <= level + 1e-12 for level in set(found[found <= 0.3]))


def test_a_planted_slope_under_noise_is_found_and_noise_alone_is_not():
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 1, (200, 8, 4))
    alarms = [trend_of(by_dose(each)).p <= 0.05 for each in noise]
    found = [trend_of(by_dose(each + 0.8 * np.arange(4))) for each in noise[:50]]

    assert np.mean(alarms) <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 200)
    assert all(each.p < 0.05 and each.towards == "higher" for each in found)


def test_only_ranks_within_a_seed_count_and_the_order_of_seeds_does_not():
    table = np.random.default_rng(0).normal(0, 1, (6, 4))
    found = trend_of(by_dose(table))

    assert trend_of(by_dose(np.exp(table) + 10 * np.arange(6)[:, None])) == found
    assert trend_of(by_dose(table[::-1])) == found


def test_doses_written_the_other_way_round_turn_the_trend_and_keep_p():
    table = np.random.default_rng(1).normal(0, 1, (6, 4)) + np.arange(4)
    found, turned = trend_of(by_dose(table)), trend_of(by_dose(table[:, ::-1]))

    assert (found.towards, turned.towards) == ("higher", "lower")
    assert turned.p == pytest.approx(found.p)


def test_what_cannot_be_tested_says_why():
    alike = trend_of(by_dose(np.ones((5, 3))))
    alone = trend_of(by_dose([[1, 2, 3]]))

    assert (alike.p, alike.n, alike.reason) == (None, 5, "every seed is alike at all doses")
    assert (alone.p, alone.n, alone.reason) == (None, 1, "needs 2 seeds with every dose")


def test_beyond_the_exact_table_p_is_that_of_the_normal_limit():
    found = trend_of(by_dose(np.random.default_rng(2).normal(0, 1, (50, 9))))

    assert 0 < found.p <= 1
    assert not found.exact


# --- in a run ----------------------------------------------------------------------------------


def dosed(scenario, **changes):
    levers = {"data_coverage": DOSES, "freeze_editor": [0, 1]}
    return {**scenario, "levers": levers, **changes}


def falling(condition, rng):
    """No noise: the wrong goal at each dose as often as the dose is not there."""
    del rng
    return float(condition["data_coverage"] < 0.2)


def of(run, metric, env="all"):
    (found,) = (each for each in dose_responses(run) if (each.metric, each.env) == (metric, env))
    return found


def test_every_dose_has_its_effect_in_the_order_in_which_it_is_written(scenario, write_run):
    run = read_run(write_run(dosed(scenario, claims=[]), wrong_goal=falling))
    found = {
        each.dose: each.estimate
        for each in effects(run)
        if (each.lever, each.metric) == ("data_coverage", "goal_misgeneralisation")
    }

    assert list(found) == DOSES[1:]
    assert found == {0.1: 0.0, 0.3: -1.0, 1.0: -1.0}


def test_a_planted_fall_is_seen_at_each_dose_and_levers_with_two_doses_have_none(
    scenario, write_run
):
    run = read_run(write_run(dosed(scenario), wrong_goal=falling))
    found = of(run, "goal_misgeneralisation")

    assert {each.lever for each in dose_responses(run)} == {"data_coverage"}
    assert [(each.dose, each.mean, each.n) for each in found.points] == [
        (0, 1.0, 6),
        (0.1, 1.0, 6),
        (0.3, 0.0, 6),
        (1, 0.0, 6),
    ]
    assert (found.trend.towards, found.trend.n) == ("lower", 6)
    assert found.trend.p < 0.01


def test_in_a_full_design_a_seed_is_the_mean_over_the_other_levers(scenario, write_run):
    def both(condition, rng):
        del rng
        return float(condition["data_coverage"] < 0.2 or condition["freeze_editor"])

    run = read_run(write_run(dosed(scenario, design="full"), wrong_goal=both))
    found = of(run, "goal_misgeneralisation")

    assert [dict(each.values) for each in found.points[:3:2]] == [
        dict.fromkeys(range(6), 1.0),
        dict.fromkeys(range(6), 0.5),
    ]


def test_a_seed_that_lost_one_dose_counts_at_the_others_but_not_for_the_trend(scenario, write_run):
    broken = {
        ("data_coverage=0.3,freeze_editor=0", 2): "lost",
        ("data_coverage=0,freeze_editor=0", 4): "lost",
    }
    run = read_run(write_run(dosed(scenario), broken=broken))
    found = of(run, "goal_misgeneralisation")

    assert [each.n for each in found.points] == [5, 6, 5, 6]
    assert [sorted(each.values) for each in found.points[::2]] == [[0, 1, 2, 3, 5], [0, 1, 3, 4, 5]]
    assert found.trend.n == 4


def test_in_a_full_design_a_seed_without_one_of_its_trials_does_not_count_at_that_dose(
    scenario, write_run
):
    broken = {("data_coverage=0.3,freeze_editor=1", 2): "lost"}
    run = read_run(write_run(dosed(scenario, design="full"), broken=broken))
    found = of(run, "capability")

    assert [each.n for each in found.points] == [6, 6, 5, 6]
    assert 2 not in found.points[2].values
    assert found.trend.n == 5


def test_the_interval_is_that_of_the_level_at_the_confidence_it_names(scenario, write_run):
    for each in of(read_run(write_run(dosed(scenario))), "capability").points:
        assert (each.low, each.high) == t_interval([*each.values.values()], 0.95)
    assert of(read_run(write_run(dosed(scenario), name="again")), "capability").confidence == 0.95


def test_envs_are_kept_apart_and_averaged_within_a_seed(scenario, write_run):
    envs = [
        {"id": "sandbox/CoinGrid-v0", "kwargs": {}, "name": name} for name in ("plain", "other")
    ]
    run = read_run(write_run(dosed(scenario, envs=envs)))
    both = [of(run, "capability", env).points[0] for env in ("plain", "other")]

    assert {each.env for each in dose_responses(run)} == {"all", "plain", "other"}
    assert of(run, "capability").points[0].mean == pytest.approx(
        sum(each.mean for each in both) / 2
    )
