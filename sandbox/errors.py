"""Every error a user may meet.

SandboxError
├── InputError        bad scenario, option or name: nothing has started (exit 2)
├── IntegrityError    a record does not match its own account (exit 3)
├── ResourceError     disk or memory is used up (exit 5)
└── TrialError        one trial failed; the others go on (exit 1)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


class SandboxError(Exception):
    """Base of all; ``exit_code`` is what the command line ends with."""

    exit_code = 1


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: where it is, what it is, what to do."""

    where: str  # "file:line:col", "file:line", an option or a key path
    what: str
    excerpt: str = ""  # the source line and a caret, already formatted

    def __str__(self) -> str:
        head = f"{self.where}: error: {self.what}" if self.where else f"error: {self.what}"
        return f"{head}\n{self.excerpt}" if self.excerpt else head


class InputError(SandboxError):
    """The input cannot be used; carries all its problems at once."""

    exit_code = 2

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = tuple(p if isinstance(p, Problem) else Problem("", p) for p in problems)
        super().__init__("\n".join(map(str, self.problems)))


class IntegrityError(SandboxError):
    """A ledger or record was changed after it was written."""

    exit_code = 3


class ResourceError(SandboxError):
    """The disk or the memory is used up; nothing is half-written."""

    exit_code = 5


class TrialError(SandboxError):
    """One trial could not be finished; the message is its reason."""


def fault(error: BaseException) -> str:
    """What to say of an error in ``FAULTS`` of ``agents``: what it says itself, if anything."""
    if isinstance(error, SystemExit):
        return f"its code calls sys.exit({'' if error.code is None else repr(error.code)})"
    return str(error) or type(error).__name__


LONGEST_REASON = 500


def one_line(text: str) -> str:
    """Make any message fit for a row of a table: one line, of bounded length, any encoding.

    An error of third-party code may hold megabytes, line ends, or halves of characters.
    """
    line = " ".join(text[: 2 * LONGEST_REASON].split()).encode(errors="backslashreplace").decode()
    short = line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1]}…"
    return short.rstrip(": ")


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """Return `` — did you mean 'x'?`` for the nearest of ``allowed``, or an empty string."""
    by_lower = {each.lower(): each for each in allowed}
    near = get_close_matches(given.lower(), by_lower, n=1, cutoff=0.6)
    return f" — did you mean '{by_lower[near[0]]}'?" if near else ""
