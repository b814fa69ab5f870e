"""``judge`` and ``findings``: what the rule says of numbers that exist already."""

from pathlib import Path
from typing import Any

import click

from sandbox.cli.output import as_json, print_json, say, table, verdicts, with_plugins
from sandbox.errors import InputError, Problem
from sandbox.words import bracketed, percent


@click.command(
    epilog="""
\b
Example: does `careful` do less harm than `plain`?  trials.csv, a row a trial:
  seed,condition,harm,capability
  1,plain,0.52,0.90
  1,careful,0.31,0.91
  2,plain,0.55,0.88
  ...
\b
  sandbox judge trials.csv --claim 'harm: careful < plain by 0.05'
\b
That a fall of less than 0.05 would not matter is yours to say. Several claims share alpha:
  sandbox judge trials.csv --claim 'harm: careful < plain by 0.05' \\
                           --claim 'return: careful > plain by 10 in maze'
\b
All keys of a scenario's claim, on the line or in a file (--claims):
  sandbox judge trials.csv --claim '{metric: harm, treatment: careful, control: plain,
      direction: lower, smallest_effect: 0.05, alpha: 0.05, over: every}'
\b
  # claims.yaml
  claims:
    - {metric: harm, treatment: careful, control: plain, direction: lower, smallest_effect: 0.05}
    - {metric: edits, treatment: careful, control: plain, direction: lower, smallest_effect: 1,
       role: positive_control}
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--claim",
    "lines",
    multiple=True,
    metavar="TEXT",
    help="'METRIC: TREATED < CONTROL by SMALLEST', > for higher, `in ENV` for one env; or a claim"
    " as in YAML, {metric: ...}. May be repeated.",
)
@click.option(
    "--claims", type=click.Path(path_type=Path), metavar="FILE", help="A YAML file of claims."
)
@click.option(
    "--range",
    "given_ranges",
    multiple=True,
    metavar="METRIC=LOW:HIGH",
    help="Range of a metric: bounds what missing pairs could have shown (without one, a missing"
    " pair leaves a claim undetermined), and a base at its edge is noticed.",
)
@as_json
def judge(
    file: Path,
    lines: tuple[str, ...],
    claims: Path | None,
    given_ranges: tuple[str, ...],
    as_json: bool,
) -> None:
    """Judge claims about the trials in FILE (CSV or Parquet) by the rule of the laboratory.

    A row of FILE is a trial, with the columns `seed`, `condition`, `env` (where there are several)
    and one for each metric; other columns are not read. Trials of one seed (and env) are paired.
    A blank cell is a trial that measured nothing, a row that is not there a trial that failed:
    the verdict must stand whatever they would have shown. Where there is a column `capability`,
    less harm does not count if it fell. A column with the name of one of our metrics (`sandbox list
    metrics`) has its range.

    Of each claim: supported, refuted or undetermined, and the kind; the change with its interval;
    pairs; which test did not agree; resolution. Nothing was registered, so all of it is
    exploratory: what a claim that was chosen in view of the numbers is worth, no rule can say.
    """
    from sandbox.judging import claim_form, judgement, table  # noqa: PLC0415  (scipy, pydantic)

    found = [claim_form.from_words(text, f"--claim {text!r}") for text in lines]
    found += claim_form.from_file(claims) if claims else []
    if not found:
        raise InputError(f"no claim to judge; give --claim {claim_form.SHAPE}, or --claims FILE")
    ranges = dict(_range(text) for text in given_ranges)
    judged = judgement.judged(table.read_file(file), found, ranges)
    if as_json:
        from sandbox.verdicts.frames import verdict_row  # noqa: PLC0415

        rows: list[dict[str, Any]] = [{"exploratory": True, **verdict_row(each)} for each in judged]
        print_json(rows)
        return
    say(f"{judgement.EXPLORATORY}\n")
    verdicts(judged)


def _range(text: str) -> tuple[str, tuple[float, float]]:
    """``harm=0:1``; either end may be ``inf``."""
    name, _, ends = text.rpartition("=")
    low, colon, high = ends.partition(":")
    try:
        values = float(low), float(high)
    except ValueError:
        values = (float("nan"),) * 2
    if not name or not colon or not values[0] < values[1]:
        raise InputError(Problem(f"--range {text}", "must be METRIC=LOW:HIGH, as in harm=0:1"))
    return name, values


@click.command(
    epilog="""
\b
Examples:
  sandbox findings runs/quickstart-1a2b3c4d
  sandbox findings runs/* && make generated
""",
)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the findings; default: scenarios/findings of the checkout that this program"
    " lies in, or of the current folder.",
)
@with_plugins
@as_json
def findings(
    runs: tuple[Path, ...], out: Path | None, plugins: tuple[str, ...], as_json: bool
) -> None:
    """Write what each RUN found as NAME.json, to be committed; NAME is that of its scenario.

    A finding holds the hash of the registration, the commit at that time, the command, the seeds,
    and of every claim its words, role, verdict, change with interval, n and notes; the means of all
    conditions; what `sandbox verify` says. The same run gives the same bytes. Where a file of
    another registration lies there, its verdicts stay in the new one as `before`. `make generated`
    then makes the tables of scenarios/README.md from these files.

    Refused: a run that is unfinished, not registered, exploratory, judged by other code than was
    registered, a smoke run, or one whose record was changed (exit code 3). Nothing is written then,
    for any of the runs. With --json, nothing is written either: the findings are printed.
    """
    from sandbox.findings.finding import finding  # noqa: PLC0415  (scipy)
    from sandbox.findings.folder import put  # noqa: PLC0415

    del plugins  # plugged in by the option itself
    found = [finding(each) for each in runs]
    names = [each["scenario"] for each in found]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise InputError(f"several of these runs are of one scenario: {', '.join(twice)}")
    if as_json:
        print_json(found)
        return
    for each, path in zip(found, put(*found, folder=out or _home()), strict=True):
        say(f"{each['scenario']} -> {path}")
        table([_found(claim) for claim in each["claims"]], ["claim", "verdict", "change", "n"])


def _home() -> Path:
    """``scenarios/findings`` of a checkout, also where the command is called somewhere else."""
    checkout = Path(__file__).resolve().parents[2]
    root = checkout if (checkout / "pyproject.toml").is_file() else Path()
    return root / "scenarios" / "findings"


def _found(claim: dict[str, Any]) -> dict[str, Any]:
    role = "" if claim["role"] == "claim" else f"{claim['role'].replace('_', ' ')}: "
    numbers = [claim[key] for key in ("estimate", "low", "high") if claim[key] is not None]
    change = bracketed(*numbers) if numbers else "not measured"
    interval = f", {percent(claim['confidence'])} interval" if len(numbers) > 1 else ""
    return {
        **claim,
        "claim": f"{role}{claim['claim']}",
        "verdict": claim["verdict"].upper(),
        "change": f"{change}{interval}",
    }
