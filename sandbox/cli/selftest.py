"""``selftest``: known numbers computed again and compared."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.output import as_json, duration, print_json, say

if TYPE_CHECKING:
    from sandbox.selftest.check import Computed, KnownNumber

_SHOWN = 6  # significant digits


@click.command(
    epilog="\b\nExamples:\n"
    "  sandbox selftest              all checks\n"
    "  sandbox selftest --only V     one topic\n"
    "  sandbox selftest --only I7,V1 two checks, by the ids that are printed",
)
@click.option(
    "--only", metavar="IDS", default="", help="Only these checks (I7,V1) or topics (I, S, T, V, W)."
)
@as_json
def selftest(only: str, as_json: bool) -> None:
    """Recompute published values, closed forms and exact optima, and compare.

    Each is computed by the code that trials use. The id of a check begins with its topic:

    \b
    I  intrinsic objectives: channel capacities, empowerment, exploration, POWER
    S  selection and self-modification
    T  tests: the rule of the verdicts and its statistics
    V  value learning: distances between rewards, soft planning, assistance games, off-switch
    W  optimal returns of the worlds

    One line a check: id, quantity, expected value, computed value, greatest absolute difference
    with its tolerance, and the source of the expected value. Exit code 1 if any difference exceeds
    its tolerance.
    """  # noqa: D301  (click reads the backspace)
    from sandbox.selftest import gather  # noqa: PLC0415
    from sandbox.selftest.check import computed  # noqa: PLC0415

    checks = gather.gathered([each.strip() for each in only.split(",") if each.strip()])
    widths = _widths(checks)
    found = []
    for each in computed(checks):
        found.append(each)
        if not as_json:
            say(_line(each, widths))
    wrong = [each for each in found if not each.agrees]
    if as_json:
        print_json([_row(each) for each in found])
    else:
        numbers = sum(len(each.check.expected) for each in found)
        took = duration(sum(each.seconds for each in found))
        say(
            f"\n{len(found) - len(wrong)} of {len(found)} checks agree"
            f" ({numbers} numbers compared, {took})"
        )
    if wrong:
        raise click.exceptions.Exit(1)


def _widths(checks: Sequence["KnownNumber"]) -> tuple[int, int]:
    return max(len(each.what) for each in checks), max(
        len(_numbers(each.expected)) for each in checks
    )


def _line(found: "Computed", widths: tuple[int, int]) -> str:
    check, (what, numbers) = found.check, widths
    got = found.error or _numbers(found.got)
    mark = "ok " if found.agrees else "BAD"
    expected = _numbers(check.expected)
    difference = f"{found.difference:.1e} (tolerance {check.tolerance:.0e})"
    return (
        f"{mark} {check.id:<4} {check.what:<{what}}  expected {expected:<{numbers}}"
        f"  got {got:<{numbers}}  difference {difference}  {check.source}"
    )


def _row(found: "Computed") -> dict[str, Any]:
    check = found.check
    return {
        "id": check.id,
        "what": check.what,
        "expected": check.expected,
        "got": found.got,
        "difference": found.difference if math.isfinite(found.difference) else None,
        "tolerance": check.tolerance,
        "agrees": found.agrees,
        "source": check.source,
        "error": found.error,
        "seconds": round(found.seconds, 3),
    }


def _numbers(found: Sequence[float]) -> str:
    return " ".join(f"{each:.{_SHOWN}g}" for each in found)
