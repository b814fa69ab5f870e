"""What each claim of a scenario can show, before any data: for ``plan`` and ``register``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.output import LINE, say, table
from sandbox.errors import InputError, Problem
from sandbox.words import digits

if TYPE_CHECKING:
    from sandbox.analysis.pilot import Pilot
    from sandbox.scenario.model import Scenario
    from sandbox.verdicts.before_data import Analysis, PlannedClaim

Command = Callable[..., Any]
with_pilot: Callable[[Command], Command] = click.option(
    "--pilot",
    type=click.Path(),
    metavar="RUN",
    help="A run with the levers and metrics of the claims, at 3 or more seeds: how far apart its "
    "seeds are says how large an effect can be detected.",
)


SPREADS_MEAN = """
the smallest true effect that ends SUPPORTED in 4 of 5 runs, where the standard deviation of the
differences between paired seeds is so many smallest effects (--pilot RUN measures it):"""


@dataclass(frozen=True)
class BeforeData:
    """A scenario with what its pilot says, if it has one."""

    scenario: dict[str, Any]  # resolved
    pilots: "Sequence[Pilot]"
    notes: list[str]

    def planned(self, family: int | None = None) -> "list[PlannedClaim]":
        """Plan every claim; ``family``: how many share alpha, where that is registered."""
        from sandbox.verdicts.before_data import planned_claims  # noqa: PLC0415  (scipy)

        return planned_claims(self.scenario, self.pilots, family)

    def remarks(self, planned: "Sequence[PlannedClaim]") -> list[str]:
        """What to know of these claims, then of the pilot."""
        from sandbox.verdicts.before_data import remarks_of  # noqa: PLC0415  (scipy)

        return [*remarks_of(planned), *self.notes]


def read_pilot(scenario: "Scenario", pilot: str | None, folder: Path | None = None) -> BeforeData:
    """Read the run at ``pilot``; ``folder``: where the scenario itself is to be run.

    Raises ``InputError`` where it says nothing of a claim.
    """
    from sandbox.analysis.pilot import pilot_notes, pilots_of  # noqa: PLC0415  (scipy)
    from sandbox.record.store import read_run  # noqa: PLC0415

    resolved = scenario.resolved()
    if pilot is None:
        return BeforeData(resolved, (), [])
    if folder is not None and folder.resolve() == Path(pilot).resolve():
        what = "is the run that is to be registered; a pilot is another one, run before it"
        raise InputError(Problem(f"pilot {pilot}", what))
    run = read_run(pilot)
    return BeforeData(resolved, pilots_of(resolved, run), pilot_notes(resolved, run))


def print_claims(planned: "Sequence[PlannedClaim]", remarks: Sequence[str]) -> None:
    """Print each claim at each number of seeds, then the remarks; nothing without claims."""
    if not planned:
        return
    columns = ["#", "claim", "role", "seeds", "level", "smallest p"]
    columns += ["spread", "detects"] * (planned[0].pilot is not None)
    say("\nbefore the data")
    table(_rows(planned), columns, LINE)
    if planned[0].pilot is None:
        _print_spreads(planned)
    else:
        say(
            "spread: standard deviation of the pilot's differences, n of them, paired by seed\n"
            "detects: the smallest true effect that ends SUPPORTED in 4 of 5 runs"
        )
    for each in remarks:
        say(click.wrap_text(each, LINE, subsequent_indent="  "))
    say("")


def _rows(planned: "Sequence[PlannedClaim]") -> list[dict[str, str]]:
    many = [(i, each, j) for i, each in enumerate(planned, 1) for j in range(len(each.analyses))]
    return [_row(*each) for each in many]


def _row(number: int, planned: "PlannedClaim", i: int) -> dict[str, str]:
    """The ``i``-th analysis of a claim; what the claim is stands at the first."""
    each = planned.analyses[i]
    cells = {
        "seeds": str(each.seeds),
        "level": f"{each.level:.3g}",
        "smallest p": f"{each.smallest_p:.2g}{'' if each.can_decide else ' (too large)'}",
    }
    if i == 0:
        cells |= {"#": str(number), "claim": planned.claim, "role": planned.role}
    if planned.pilot:
        cells["spread"] = f"{digits(planned.pilot.spread)} (n = {planned.pilot.pairs})"
        cells["detects"] = _detects(each)[0]
    return cells


def _detects(analysis: "Analysis") -> list[str]:
    effects = [each.effect for each in analysis.detects]
    return ["nothing" if each is None else digits(each) for each in effects]


def _print_spreads(planned: "Sequence[PlannedClaim]") -> None:
    """Without a pilot: what is detected for each of a few spreads, where anything can be."""
    from sandbox.verdicts.before_data import SPREADS  # noqa: PLC0415  (scipy)

    names = [f"{each:g} x" for each in SPREADS]
    rows = [
        {
            "#": str(number),
            "smallest effect": digits(claim.smallest_effect),
            "seeds": str(each.seeds),
            **dict(zip(names, _detects(each), strict=True)),
        }
        for number, claim in enumerate(planned, 1)
        for each in claim.analyses
        if each.can_decide
    ]
    if rows:
        say(SPREADS_MEAN)
        table(rows, ["#", "smallest effect", "seeds", *names], LINE)
