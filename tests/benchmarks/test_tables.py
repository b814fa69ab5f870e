"""From windows to ratios and targets; no clock is read, and nothing is timed."""

import itertools
import json

import pytest

from benchmarks import learning, trials
from benchmarks.contenders import answering, asking, tables
from benchmarks.contenders.tables import Target


def windows(*rates, first=0):
    """One window of two seconds a round."""
    return [
        {"round": first + i, "steps": 2 * rate, "seconds": 2.0, "learning": 0.5}
        for i, rate in enumerate(rates)
    ]


FAKE = {"fast plain": windows(40, 90, 30), "slow plain": windows(10, 10, 30)}


def test_a_ratio_is_the_median_of_ratios_within_a_round():
    assert tables.ratio(FAKE, "fast plain", "slow plain") == 4.0  # of 4, 9, 1
    assert tables.ratio(FAKE, "slow plain", "fast plain") == 0.25


def test_rounds_in_which_one_was_not_asked_do_not_count():
    rare = {**FAKE, "rare plain": windows(45, 10, first=1)}
    assert tables.ratio(rare, "fast plain", "rare plain") == 2.5  # of 90 / 45 and 30 / 10
    assert tables.ratio(rare, "fast plain", "absent plain") is None
    later = {**FAKE, "late plain": windows(1, first=7)}
    assert tables.ratio(later, "fast plain", "late plain") is None


def test_a_share_is_of_the_time_of_a_window():
    assert tables.share(FAKE, "fast plain") == 0.25
    assert (
        tables.share({"jax plain": [{"round": 0, "steps": 1, "seconds": 1.0}]}, "jax plain") is None
    )


@pytest.mark.parametrize(("least", "missed"), [(4.0, 0), (4.1, 1)])
def test_a_target_is_missed_below_it(least, missed, capsys):
    targets = (Target("case", "fast plain", "slow plain", least),)
    assert len(tables.short_of({"case": FAKE}, targets)) == missed
    assert ("MISSED" in capsys.readouterr().out) == bool(missed)


def test_what_was_not_measured_misses_no_target(capsys):
    targets = (Target("case", "fast plain", "absent", 4.0), Target("other", "a", "b", 1.0))
    assert tables.short_of({"case": FAKE}, targets) == []
    assert capsys.readouterr().out.count("not measured") == 2


def test_medians_are_in_thousands_with_three_digits():
    assert tables.thousands([2_000.0, 4_120.0, 90_000.0]) == "4.1"
    assert tables.thousands([117_400.0]) == "117"
    assert tables.thousands([]) == "-"
    assert tables.spread([2_000.0, 90_000.0, 5.0]) == "0.0-90.0"
    assert [tables.times(each) for each in (None, 0.953, 14.26, 123.4)] == [
        "-",
        "0.95x",
        "14.3x",
        "123x",
    ]


def test_text_goes_between_its_marks_and_nowhere_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x:begin (command) -->\nold\n<!-- x:end -->\nb\n", encoding="utf-8")
    tables.put_between_marks(page, "x", r"new \1")
    assert page.read_text(encoding="utf-8") == (
        "a\n<!-- x:begin (command) -->\nnew \\1\n<!-- x:end -->\nb\n"
    )
    with pytest.raises(ValueError, match="y:begin"):
        tables.put_between_marks(page, "y", "")


class Countdown(answering.Training):
    """Updates of five steps."""

    def __init__(self):
        self.edits = []

    def update(self):
        return 5

    def edit(self, turn):
        self.edits.append(turn)


def test_a_window_with_edits_has_whole_pairs_of_periods():
    training = Countdown()
    fixed = []
    arms = {"edits": answering.edited_period(training), "fixed": lambda i: fixed.append(i) or 7}
    windows = answering.period_window(arms, 0.0)
    assert training.edits == fixed == [0, 1]
    assert windows["edits"]["steps"] == 2 * answering.EDIT_EVERY * 5
    assert windows["fixed"]["steps"] == 14
    assert answering.plain_window(training, 0.0)["steps"] == 5


class Fake(asking.Contender):
    """Answers at once; remembers what it was asked."""

    def ask(self, **question):
        asked.append((self.module, question["arm"]))
        window = {"steps": 10.0, "seconds": 1.0}
        return {"edits": window, "fixed": window} if "," in question["arm"] else window


asked = []


def test_contenders_are_asked_by_turns_and_dear_arms_seldom(tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "KEPT", tmp_path / "deep" / "kept.json")
    asked.clear()
    fakes = {name: Fake("", name) for name in ("torch", "numpy", "jax")}
    learning.measure(fakes, ["cartpole 64x10", "cartpole 1024x4"], 2, 1.0)
    small = [("torch", "plain"), ("numpy", "plain"), ("numpy", "edits, fixed")]
    large = [*small[:1], ("torch", "edits"), *small[1:]]
    jax = [("jax", "plain")]
    dear = [("jax", "edits")]
    assert asked == [*small, *jax, *dear, *large, *jax, *dear, *small, *jax, *large, *jax]
    results, where = json.loads(learning.KEPT.read_text(encoding="utf-8"))
    assert [each["round"] for each in results["cartpole 64x10"]["numpy fixed"]] == [0, 1]
    assert "load" in where


def learned(*, slower=1.0):
    """Results in which everything reaches its target, the NumPy engine by a half."""
    speeds = {"sb3": 2, "sb3_batched": 3, "base": 4, "torch": 4, "numpy": 40 / slower, "jax": 60}
    found = {
        f"{row.name} {arm}": windows(*[1000 * speeds[row.name] * (1 - 0.01 * (arm == "edits"))] * 3)
        for row, arm in itertools.product(learning.ROWS, ("plain", "edits", "fixed"))
    }
    return dict.fromkeys(learning.CASES, found | {"jax edits": windows(4000)})


def test_targets_of_learning_name_what_is_asked(capsys):
    assert learning.report(learned(), "a machine") == []
    said = capsys.readouterr().out
    assert "not measured" not in said
    assert (
        "| coin_grid, 76 inputs | 2.0 / 2.0 | 3.0 / 3.0 | 4.0 / 4.0 | 4.0 / 4.0 | 40.0 / 40.0 |"
        in said
    )
    assert len(learning.report(learned(slower=3.0), "a machine")) == 4 + len(learning.CASES)


def test_without_jax_the_table_says_how_to_get_it(capsys):
    bare = {case: {"numpy plain": windows(10)} for case in learning.CASES}
    assert learning.report(bare, "a machine") == []
    assert learning.NO_JAX in capsys.readouterr().out


def test_the_short_table_fits_into_the_readme():
    text = learning.short_table(learned())
    assert max(map(len, text.splitlines())) <= 130
    assert len({line.count("|") for line in text.splitlines()}) == 1


PARTS = ({"act": 30.0, "learning": 70.0}, {"learning": 90.0, "act": 10.0}, {"learning": 80.0})


def test_the_parts_of_a_trial_are_medians_dearest_first():
    found = [
        {"round": i, "steps": 1000, "seconds": 0.1, "parts": parts} for i, parts in enumerate(PARTS)
    ]
    rows = trials.part_table({"ours edits": found}).splitlines()[2:]
    assert rows[:4] == [
        "| learning | 80 |",
        "| act | 10 |",
        "| whole | 100 |",
        "| k steps/s | 10.0 |",
    ]


def test_targets_of_trials_name_what_is_measured(capsys):
    arms = [f"{a} {b}" for a, b in itertools.product(("ours", "base"), ("edits", "frozen"))]
    whole = {arm: windows(20.0 if arm.startswith("ours") else 10.0) for arm in arms}
    tiny = {"ours command": windows(4.0), "base command": windows(2.0)}
    found = {"quickstart": whole, "tiny trials": tiny}
    assert tables.short_of(found, trials.TARGETS) == []
    assert "not measured" not in capsys.readouterr().out
    assert "14,400 an hour (2.00x)." in trials.sentence(found)
    assert len(trials.sentence(found)) <= 130
