"""Every condition has its row, in the order in which the design writes them."""

import pytest

from sandbox.analysis.condition_table import condition_table, measured
from sandbox.analysis.effects import measure
from sandbox.analysis.statistics import t_interval
from sandbox.record.store import read_run
from tests.sandbox.synthetic_run import register_anew


def test_conditions_come_as_the_design_writes_them_and_count_their_seeds(scenario, write_run):
    levers = {"data_coverage": [0, 0.1, 0.5], "freeze_editor": [0, 1]}
    single = {**scenario, "levers": levers}
    full = {**single, "design": "full"}
    broken = {("data_coverage=0,freeze_editor=1", 2): "lost"}

    found = condition_table(read_run(write_run(full, broken=broken)))
    assert [(each.condition, each.n) for each in found] == [
        ("data_coverage=0,freeze_editor=0", 6),
        ("data_coverage=0,freeze_editor=1", 5),
        ("data_coverage=0.1,freeze_editor=0", 6),
        ("data_coverage=0.1,freeze_editor=1", 6),
        ("data_coverage=0.5,freeze_editor=0", 6),
        ("data_coverage=0.5,freeze_editor=1", 6),
    ]
    assert [each.condition for each in condition_table(read_run(write_run(single, name="s")))] == [
        "data_coverage=0,freeze_editor=0",
        "data_coverage=0.1,freeze_editor=0",
        "data_coverage=0.5,freeze_editor=0",
        "data_coverage=0,freeze_editor=1",
    ]


def test_a_cell_is_the_mean_over_seeds_and_its_interval(scenario, write_run):
    folder = write_run(scenario, wrong_goal=lambda condition, _: float(condition["freeze_editor"]))
    run = read_run(folder)
    first = condition_table(run)[0]
    rows = {each.metric: each for each in first.averages}
    named = ["goal_misgeneralisation", "capability", "edits_applied", "harm"]
    assert [*rows] == [*named, "harm_in_distribution", "harm_shifted"]
    assert (rows["goal_misgeneralisation"].mean, rows["goal_misgeneralisation"].alike) == (0, True)
    assert rows["goal_misgeneralisation"].interval is None
    able = rows["capability"]
    assert able.interval.low < able.mean < able.interval.high
    assert (able.n, able.confidence, able.alike) == (6, 0.95, False)


def test_intervals_are_students_over_seeds(scenario, write_run):
    run = read_run(write_run(scenario))
    (row,) = (
        each for each in condition_table(run) if each.condition.startswith("data_coverage=0.5")
    )
    values = [
        measure(trial, "capability").value
        for trial in run.trials
        if trial.condition_name == row.condition
    ]
    (able,) = (each for each in row.averages if each.metric == "capability")

    assert able.mean == pytest.approx(sum(values) / 6)
    assert able.interval == pytest.approx(t_interval(values, 0.95))


def test_envs_have_rows_of_their_own_in_the_order_of_the_scenario(scenario, write_run):
    envs = [{"id": "sandbox/CoinGrid-v0", "kwargs": {}, "name": name} for name in ("z", "a")]
    found = condition_table(read_run(write_run({**scenario, "envs": envs, "seeds": [0]})))

    assert [each.env for each in found] == ["z", "a"] * 3
    assert {each.averages[0].interval for each in found} == {None}  # one seed has no spread


def test_trials_kept_from_under_other_levers_have_no_row(scenario, write_run):
    folder = write_run({**scenario, "design": "full"})
    alone = {**scenario, "levers": {"data_coverage": [0, 0.5]}}
    register_anew(folder, alone)
    found = condition_table(read_run(folder))

    assert [(each.condition, each.n) for each in found] == [
        ("data_coverage=0", 0),
        ("data_coverage=0.5", 0),
    ]
    assert measured(found) == ()


def test_what_was_not_measured_is_no_zero(scenario, write_run):
    run = read_run(write_run({**scenario, "metrics": ["television_time"]}))
    found = condition_table(run)
    (seen,) = (each for each in found[0].averages if each.metric == "television_time")

    assert (seen.mean, seen.interval, seen.n, seen.alike) == (None, None, 0, False)
    harms = ("harm", "harm_in_distribution", "harm_shifted")
    assert measured(found) == ("goal_misgeneralisation", "capability", *harms)
