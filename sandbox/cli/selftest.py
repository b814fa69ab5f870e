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
    epilog="\b\nExamples:\n  sandbox selftest\n  sandbox selftest --only I7,V1",
)
@click.option("--only", metavar="PAGES", default="", help="Only these, as in I7,V1.")
@as_json
def selftest(only: str, as_json: bool) -> None:
    """Compute again, here and now, every number that is known from elsewhere.

    Closed forms, published values and exact optima, each by the code that trials run: channel
    capacities and empowerment (I), distances between rewards, soft planning, assistance games and
    the off-switch (V), selection and self-modification (S), the worlds' optima (W). One line a
    number: what was expected, what came out, the greatest difference, and who says so. Exit code 1
    if any is further off than its page allows.
    """
    from sandbox.selftest.check import computed  # noqa: PLC0415
    from sandbox.selftest.pages import gathered  # noqa: PLC0415

    checks = gathered([page.strip() for page in only.split(",") if page.strip()])
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
        say(f"\n{len(found) - len(wrong)} of {len(found)} checks agree, {numbers} numbers, {took}")
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
    off = f"{found.difference:.1e}"
    return (
        f"{mark} {check.page:<4} {check.what:<{what}}  expected {expected:<{numbers}}"
        f"  got {got:<{numbers}}  off {off} (at most {check.within:.0e})  {check.source}"
    )


def _row(found: "Computed") -> dict[str, Any]:
    check = found.check
    return {
        "page": check.page,
        "what": check.what,
        "expected": check.expected,
        "got": found.got,
        "difference": found.difference if math.isfinite(found.difference) else None,
        "within": check.within,
        "agrees": found.agrees,
        "source": check.source,
        "error": found.error,
        "seconds": round(found.seconds, 3),
    }


def _numbers(found: Sequence[float]) -> str:
    return " ".join(f"{each:.{_SHOWN}g}" for each in found)
