"""How verdicts are printed: every note belongs to a claim, and is said once."""

from types import SimpleNamespace

from sandbox.cli.output import verdicts

ROUGH = "smoke run: its numbers mean nothing"


def judged(turned, reason, *notes, env="all"):
    where = "" if env == "all" else f" in {env}"
    return SimpleNamespace(
        claim=f"{turned} makes harm lower by at least 0.2{where}",
        metric="harm",
        change="+1",
        effect=SimpleNamespace(turned=turned, env=env),
        verdict=SimpleNamespace(title="refuted", reason=reason, notes=notes, n=3),
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
