"""How verdicts and conditions are printed: every note and every interval says whose it is."""

from types import SimpleNamespace

from sandbox.cli.output import averages, tails, verdicts
from sandbox.record.store import read_run

ROUGH = "smoke run: its numbers mean nothing"


def judged(turned, reason, *notes, env="all", confidence="90 % interval"):
    where = "" if env == "all" else f" in {env}"
    return SimpleNamespace(
        claim=f"{turned} makes harm lower by at least 0.2{where}",
        metric="harm",
        change="+1 [0, 2]",
        confidence=confidence,
        effect=SimpleNamespace(turned=turned, env=env),
        verdict=SimpleNamespace(
            title="refuted", status="refuted", reason=reason, notes=notes, n=3, low=0.0
        ),
    )


def printed(capsys, *claims):
    verdicts(claims)
    head, *blocks = capsys.readouterr().out.strip("\n").split("\n\n")
    return head.splitlines(), [each.splitlines() for each in blocks]


def test_every_block_names_its_claim_by_the_number_in_the_table(capsys):
    claims = [judged("a → b", "too wide", "x"), judged("a → c", "too low", "y", env="home")]
    rows, blocks = printed(capsys, *claims)

    assert [row.split()[0] for row in rows] == ["#", "1", "2"]
    assert blocks == [
        ["1: a → b: harm", "  too wide", "  note: x"],
        ["2: a → c: harm in home", "  too low", "  note: y"],
    ]


def test_what_all_claims_share_is_said_once_and_what_some_share_stays_with_each(capsys):
    claims = [
        judged("a", ROUGH, "x", "few"),
        judged("b", ROUGH, "few"),
        judged("c", ROUGH, "few", "x"),
    ]
    _, blocks = printed(capsys, *claims)

    assert blocks == [
        ["all claims", f"  {ROUGH}", "  note: few"],
        ["1: a: harm", "  note: x"],
        ["3: c: harm", "  note: x"],
    ]


def test_a_single_claim_shares_nothing(capsys):
    assert printed(capsys, judged("a", ROUGH, "x"))[1] == [
        ["1: a: harm", f"  {ROUGH}", "  note: x"]
    ]
    verdicts([])
    assert "all claims" not in capsys.readouterr().out


def test_the_heading_names_the_confidence_that_claims_share_else_each_names_its_own(capsys):
    alike, _ = printed(capsys, judged("a", ROUGH), judged("b", ROUGH))
    apart, _ = printed(capsys, judged("a", ROUGH), judged("b", ROUGH, confidence="95 % interval"))

    assert "change [90 % interval]" in alike[0]
    assert all(row.split()[-4:] == ["+1", "[0,", "2]", "3"] for row in alike[1:])
    assert "interval" not in apart[0]
    assert "+1 [0, 2], 90 % interval" in apart[1]
    assert "+1 [0, 2], 95 % interval" in apart[2]


def shown(capsys, folder):
    averages(read_run(folder))
    return capsys.readouterr().out.splitlines()


def test_conditions_are_printed_where_nothing_is_claimed(scenario, write_run, capsys):
    certain = {"wrong_goal": lambda condition, _: float(condition["freeze_editor"])}
    broken = {("data_coverage=0.5,freeze_editor=0", 2): "lost"}
    folder = write_run({**scenario, "claims": []}, **certain, broken=broken)
    _, heading, columns, *rows, left = shown(capsys, folder)

    assert heading == "mean of n seeds [95 % interval]"
    names = ["capability", "goal_misgeneralisation", "edits_applied", "harm"]
    assert columns.split() == ["condition", "n", *names]
    assert [row.split()[:2] for row in rows] == [
        ["data_coverage=0,freeze_editor=0", "6"],
        ["data_coverage=0.5,freeze_editor=0", "5"],
        ["data_coverage=0,freeze_editor=1", "6"],
    ]
    assert "0, all alike" in rows[0]
    assert "1, all alike" in rows[2]
    assert left == "in the report: harm_in_distribution, harm_shifted"


def test_metrics_that_do_not_fit_are_named_and_claimed_ones_come_first(scenario, write_run, capsys):
    names = ["capability", "mean_return", "shifted_return", "parameters", "flops", "harm"]
    harms = ["harm_in_distribution", "harm_shifted"]
    unmeasured = ["television_time"]
    lines = shown(capsys, write_run({**scenario, "metrics": [*names, *unmeasured]}))
    columns, (left, missing) = lines[2].split()[2:], lines[-2:]

    assert columns[:2] == ["goal_misgeneralisation", "capability"]
    assert max(map(len, lines)) <= 120
    assert (
        left
        == f"in the report: {', '.join(each for each in [*names, *harms] if each not in columns)}"
    )
    assert missing == "not measured: television_time"


def test_envs_have_a_column_where_there_are_several_and_a_smoke_run_says_so(
    scenario, write_run, capsys
):
    envs = [{"id": "sandbox/CoinGrid-v0", "kwargs": {}, "name": name} for name in ("b", "a")]
    several = {**scenario, "envs": envs, "seeds": [0, 1], "smoke": True}
    _, heading, columns, *rows = shown(capsys, write_run(several))

    assert heading == "mean of n seeds [95 % interval]; a smoke run: its numbers mean nothing"
    assert columns.split()[:3] == ["condition", "env", "n"]
    assert [row.split()[1] for row in rows[:6]] == ["b", "a"] * 3


def test_a_run_without_a_result_prints_no_table(scenario, write_run, capsys):
    folder = write_run({**scenario, "seeds": [0]})
    for path in folder.glob("trials/*/status.json"):
        path.unlink()

    assert shown(capsys, folder) == []


def test_the_worst_seeds_are_printed_by_condition_with_what_they_cannot_exclude(
    scenario, write_run, capsys
):
    certain = {"wrong_goal": lambda condition, _: float(condition["freeze_editor"])}
    folder = write_run({**scenario, "claims": [], "smoke": True}, **certain)
    tails(read_run(folder), [])
    _, heading, columns, *rows, last = capsys.readouterr().out.splitlines()

    assert heading.startswith("tails of harm: worst seed, mean of the worst tenth, seeds at 50 %")
    assert heading.endswith("; a smoke run: its numbers mean nothing")
    words = "metric condition n mean worst CVaR 10 % catastrophes [Wilson, 95 %]"
    assert columns.split() == words.split()
    cells = [row.split() for row in rows]
    assert [each[:3] for each in cells] == [
        ["harm", "data_coverage=0,freeze_editor=0", "6"],
        ["harm", "data_coverage=0.5,freeze_editor=0", "6"],
        ["harm", "data_coverage=0,freeze_editor=1", "6"],
    ]
    assert rows[0].endswith("0 of 6 [0 %, 39 %]")
    assert rows[2].endswith("6 of 6 [61 %, 100 %]")
    assert last == "6 seeds cannot exclude a catastrophe rarer than 39.3 % (1 - 0.05^(1/n))"
    tails(read_run(write_run(scenario | {"seeds": []}, name="empty")), [])
    assert capsys.readouterr().out == ""
