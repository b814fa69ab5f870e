"""Panels of doses: what each shows, which test stands in its caption, and what comes first."""

import pytest

from sandbox.record.store import read_run
from sandbox.report import build
from sandbox.report.data import gather
from sandbox.report.doses import _caption, _sheet, dose_responses, doses
from sandbox.report.limits import limits
from tests.sandbox.report.test_report import browser, read

__all__ = ["browser"]
DOSES = [0, 0.1, 0.3, 1.0]
TWO = [{"id": "sandbox/CoinGrid-v0", "kwargs": {}, "name": name} for name in ("plain", "other")]


@pytest.fixture
def dosed(scenario):
    return {**scenario, "levers": {"data_coverage": DOSES, "freeze_editor": [0, 1]}}


def falling(condition, rng):
    del rng
    return float(condition["data_coverage"] < 0.2)


def panels(run):
    return [each for each in dose_responses(run) if each.env == "all"]


def test_a_lever_with_two_doses_has_no_panel(scenario, write_run):
    assert [*doses(gather(read_run(write_run(scenario))))] == []


def test_every_dose_stands_on_the_axis_and_every_seed_is_a_line(dosed, write_run):
    run = read_run(write_run(dosed, wrong_goal=falling))
    sheet = _sheet(panels(run))
    first = [each for each in sheet["data"] if each["xaxis"] == "x"]
    *seeds, mean = first

    assert sheet["layout"]["xaxis"]["ticktext"] == ["0", "0.1", "0.3", "1"]
    assert sheet["layout"]["xaxis"]["tickvals"] == [0, 1, 2, 3]
    assert len(seeds) == 6
    assert mean["y"] == [1, 1, 0, 0]
    assert all(each["y"] == [1, 1, 0, 0] for each in seeds)


def test_a_caption_names_the_better_direction_the_trend_and_its_seeds(dosed, write_run):
    run = read_run(write_run(dosed, wrong_goal=falling))
    found = {each.metric: _caption(each) for each in panels(run)}

    assert [*found][:2] == ["goal_misgeneralisation", "capability"]  # the claimed one first
    assert found["goal_misgeneralisation"].startswith("lower is better · falling trend, p = 0.00")
    assert found["goal_misgeneralisation"].endswith(", 6 seeds")
    assert found["edits_applied"] == "no trend test: every seed is alike at all doses"


def test_a_bar_reaches_as_far_as_the_interval_and_a_seed_lost_is_a_gap(dosed, write_run):
    broken = {("data_coverage=0.3,freeze_editor=0", 2): "lost"}
    run = read_run(write_run(dosed, broken=broken))
    able = next(each for each in panels(run) if each.metric == "capability")
    *seeds, mean = _sheet([able])["data"]

    assert [each["y"].count(None) for each in seeds] == [0, 0, 1, 0, 0, 0]
    for point, y, above, below in zip(
        able.points, mean["y"], mean["error_y"]["array"], mean["error_y"]["arrayminus"], strict=True
    ):
        assert (y + above, y - below) == pytest.approx((point.high, point.low))
    assert "mean of 5 seeds" in mean["text"][2]


def test_the_report_draws_them_and_shows_every_condition_and_dose(dosed, write_run, browser):
    path = build(write_run({**dosed, "claims": []}))
    _, words, complaints, _ = browser.open(path)
    words, _ = read(path)

    assert complaints == []
    assert "Doses of data_coverage" in words
    assert "Page's test" in words
    assert "bar for its 95 % interval" in words
    assert words.index("Doses of data_coverage") < words.index("Conditions")
    for dose in ("0.1", "0.3", "1"):
        assert f"data_coverage 0 → {dose}" in words
        assert f"data_coverage={dose},freeze_editor=0" in words
    assert "Mean over seeds and its 95 % interval" in words


def test_envs_have_a_sheet_each_and_no_returns_of_two_worlds_are_averaged(dosed, write_run):
    few = {**dosed, "envs": TWO, "seeds": [0, 1]}
    (section,) = doses(gather(read_run(write_run(few))))

    assert section.count('<div class="figure">') == 2
    assert section.index("<h3>plain</h3>") < section.index("<h3>other</h3>")


def test_a_dose_at_which_every_trial_failed_is_a_limit_and_not_the_metric(dosed, write_run):
    lost = {("data_coverage=0.1,freeze_editor=0", seed): "lost" for seed in range(6)}
    found = limits(gather(read_run(write_run(dosed, broken=lost))))

    assert (
        "Not measured in any pair of trials of data_coverage 0 → 0.1:"
        " capability, goal_misgeneralisation, edits_applied, harm."
    ) in found
    assert not any("not measured in any pair" in each for each in found)


def test_conditions_are_listed_in_the_order_of_the_doses(dosed, write_run):
    found = gather(read_run(write_run(dosed))).conditions
    places = [each for each in found if each.endswith("freeze_editor=0")]
    assert places == [f"data_coverage={dose:g},freeze_editor=0" for dose in DOSES]
