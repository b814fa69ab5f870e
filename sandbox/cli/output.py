"""How commands print: tables that fit a terminal and survive a pipe, JSON, sentences."""

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from sandbox.analysis.condition_table import Average, ConditionRow
    from sandbox.checkup.findings import Finding
    from sandbox.record.registration import Registration
    from sandbox.record.store import RunRecord
    from sandbox.verdicts.judged import JudgedClaim
    from sandbox.verdicts.tails import Tail

Command = Callable[..., Any]
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
MINUTE, HOUR = 60, 3600  # in seconds
LINE = 120
"""Columns of the table of conditions, or as many as the terminal has."""
PIPE_WIDTH = 400
"""Columns of a table that goes to a file: nothing is cut off."""


def with_plugins(command: Command) -> Command:
    """Add ``--plugin MODULE``, which is plugged in before the command looks at anything."""
    return click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="MODULE",
        callback=_plug,
        is_eager=True,
        help="Import MODULE and let its register(catalogue) add parts and envs.",
    )(command)


def _plug(_context: click.Context, _option: click.Parameter, modules: Sequence[str]) -> Any:
    for module in modules:
        from sandbox.catalogue import catalogue, plug_module  # noqa: PLC0415

        plug_module(catalogue(), module)
    return modules


def console() -> "Console":
    """A rich console on stdout."""
    from rich.console import Console  # noqa: PLC0415  (0.05 s: `--help` needs none)

    wide = None if sys.stdout is not None and sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=wide, highlight=False, soft_wrap=False)


def table(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], most: int = PIPE_WIDTH
) -> None:
    """Print rows under the names of their columns, ``most`` characters wide."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    made = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for row in rows:
        made.add_row(*(Text(str(row.get(each, ""))) for each in columns))
    shown = console()
    with shown.capture() as caught:
        shown.print(made, width=min(most, shown.width))
    say("\n".join(line.rstrip() for line in caught.get().splitlines()))


def say(text: str) -> None:
    """Print a line; where the reader has closed the pipe, the command goes on."""
    try:
        click.echo(text)
    except BrokenPipeError:
        silence()


def silence() -> None:
    """Send what is still to be printed nowhere; Python flushes the rest when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def rows_or_json(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], json_: bool) -> None:
    """Print the same rows for people or for programs."""
    if json_:
        print_json(rows)
    else:
        table(rows, columns)


def print_json(data: Any) -> None:
    """Print JSON data; dataclasses become objects."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return list(value) if isinstance(value, set | frozenset) else str(value)


def findings(found: Iterable["Finding"], json_: bool) -> None:
    """Print a check-up as it goes; ends with exit code 1 if anything is not as it should be."""
    seen = []
    for each in found:
        seen.append(each)
        if not json_:
            click.echo(str(each))
    if json_:
        print_json(seen)
    if not all(each.ok for each in seen):
        raise click.exceptions.Exit(1)


def registered(found: "Registration") -> list[str]:
    """When and as what a run was registered, and every revision since, a line each."""
    from sandbox.words import counted  # noqa: PLC0415  (as below)

    first = found.before_data
    when = "before any trial" if not first.begun else f"after {counted(first.begun, 'trial')}"
    head = f"registered {first.when}, {when}: {first.hash}"
    keep = "  keep this hash outside the folder; `sandbox verify RUN --head HASH` looks for it"
    return [head, keep, *(f"  {each}" for each in found.revisions)]


def averages(run: "RunRecord") -> None:
    """Print the metrics of every condition: those that fit; the others are named."""
    from sandbox.analysis.condition_table import condition_table, measured  # noqa: PLC0415  (scipy)
    from sandbox.analysis.effects import CONFIDENCE, by_interest  # noqa: PLC0415
    from sandbox.words import percent  # noqa: PLC0415  (`--help` needs no word of ours)

    rows = condition_table(run)
    metrics = measured(rows)
    if not metrics:
        return
    several = len({each.env for each in rows}) > 1
    fixed = ["condition", *(["env"] if several else []), "n"]
    lines = [_condition(each) for each in rows]
    shown = _fitting(lines, fixed, metrics)
    say(f"\nmean of n seeds [{percent(CONFIDENCE)} interval]{_smoke(run)}")
    table(lines, [*fixed, *shown])
    missing = [name for name in by_interest(run) if name not in metrics]
    for why, names in (("in the report", metrics[len(shown) :]), ("not measured", missing)):
        if names:
            say(f"{why}: {', '.join(names)}")


def _smoke(run: "RunRecord") -> str:
    return "; a smoke run: its numbers mean nothing" if run.scenario.get("smoke") else ""


def _condition(row: "ConditionRow") -> dict[str, str]:
    cells = {each.metric: _average(each, row.n) for each in row.averages}
    return {"condition": row.condition, "env": row.env, "n": str(row.n), **cells}


def _average(seen: "Average", n: int) -> str:
    """``0.554 [0.507, 0.601]``, with its own n where fewer seeds measured it."""
    from sandbox.words import digits  # noqa: PLC0415  (as above)

    if seen.mean is None:
        return "not measured"
    between = f" [{', '.join(map(digits, seen.interval))}]" if seen.interval else ""
    fewer = f" (n = {seen.n})" if seen.n < n else ""
    return f"{digits(seen.mean)}{between}{', all alike' if seen.alike else ''}{fewer}"


def _fitting(
    lines: Sequence[Mapping[str, str]], fixed: Sequence[str], metrics: Sequence[str]
) -> Sequence[str]:
    """As many of the metrics, from the first on, as fit beside the fixed columns."""

    def width(names: Sequence[str]) -> int:
        return sum(2 + max(len(name), *(len(each[name]) for each in lines)) for name in names)

    free = min(LINE, console().width) - width(fixed)
    fit = [i for i in range(1, len(metrics) + 1) if width(metrics[:i]) <= free]
    return metrics[: max(fit, default=1)]


def tails(run: "RunRecord", judged: Sequence["JudgedClaim"]) -> None:
    """Print the worst seeds of every condition, what they cannot exclude, and what would flip."""
    from sandbox.verdicts.tails import CATASTROPHE, WORST, sentences  # noqa: PLC0415  (scipy)
    from sandbox.verdicts.tails import tails as found_in  # noqa: PLC0415
    from sandbox.words import percent  # noqa: PLC0415

    found = found_in(run)
    if not found:
        return
    several = len({each.env for each in found}) > 1
    cvar, events = f"CVaR {percent(WORST)}", "catastrophes [Wilson, 95 %]"
    head = ["metric", "condition", *(["env"] if several else []), "n", "mean", "worst", cvar]
    rows = [{**_tail(each), cvar: f"{each.cvar:.3g}", events: _events(each)} for each in found]
    say(
        f"\ntails of harm: worst seed, mean of the worst tenth, seeds at {percent(CATASTROPHE)} or"
        f" more of the range{_smoke(run)}"
    )
    table(rows, [*head, events])
    say("\n".join(sentences(found, judged)))


def _tail(seen: "Tail") -> dict[str, str]:
    from sandbox.words import digits  # noqa: PLC0415  (as above)

    return {
        "metric": seen.metric,
        "condition": seen.condition,
        "env": seen.env,
        "n": str(seen.n) if seen.n == seen.planned else f"{seen.n} of {seen.planned}",
        "mean": digits(seen.mean),
        "worst": digits(seen.worst),
    }


def _events(seen: "Tail") -> str:
    """``2 of 10 [5.67 %, 51 %]``."""
    low, high = (f"{100 * end:.3g} %" for end in seen.share)
    return f"{seen.catastrophes} of {seen.n} [{low}, {high}]"


def verdicts(judged: Sequence["JudgedClaim"]) -> None:
    """Print the verdict on every claim, numbered; notes common to all claims are printed once."""
    intervals = {each.confidence for each in judged if each.verdict.low is not None}
    one = intervals.pop() if len(intervals) == 1 else ""
    change = f"change [{one}]" if one else "change"
    rows = [
        {**_verdict(number, each), change: _change(each, labelled=not one)}
        for number, each in enumerate(judged, 1)
    ]
    table(rows, ["#", "claim", "verdict", change, "n"])
    notes = [_notes(each) for each in judged]
    shared = [line for line in notes[0] if all(line in each for each in notes)] if notes else []
    if len(judged) > 1 and shared:
        _block("all claims", shared)
    for number, (each, lines) in enumerate(zip(judged, notes, strict=True), 1):
        own = [line for line in lines if len(judged) == 1 or line not in shared]
        if own:
            _block(f"{number}: {_short(each)}", own)


def _notes(judged: "JudgedClaim") -> list[str]:
    """Its reason, then its notes."""
    reason = [judged.verdict.reason] if judged.verdict.status != "pending" else []
    return [*reason, *(f"note: {each}" for each in judged.verdict.notes)]


def _block(heading: str, lines: Sequence[str]) -> None:
    say("\n".join([f"\n{heading}", *(f"  {line}" for line in lines)]))


def _short(judged: "JudgedClaim") -> str:
    where = "" if judged.effect.env == "all" else f" in {judged.effect.env}"
    return f"{judged.effect.turned}: {judged.metric}{where}"


def _verdict(number: int, judged: "JudgedClaim") -> dict[str, Any]:
    due = judged.verdict.status != "pending"
    return {
        "#": number,
        "claim": judged.claim,
        "verdict": judged.verdict.title.upper() if due else judged.verdict.reason,
        "n": judged.verdict.n if due else "",
    }


def _change(judged: "JudgedClaim", *, labelled: bool) -> str:
    """What the metric did, with the confidence of its interval where claims differ in that."""
    label = f", {judged.confidence}" if labelled and judged.verdict.low is not None else ""
    return f"{judged.change}{label}"


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3.5 h``."""
    if seconds < 1.5 * MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 1.5 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h"
