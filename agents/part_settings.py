"""Problems of a part's settings, and what third-party code may raise. Imports no part.

Settings of frozen parts, as JSON has them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self

FAULTS = (Exception, SystemExit)
"""What third-party code may raise; an interrupt from outside the process is not caught."""


class PlacedProblem(str):
    """One thing that is wrong, in words, with the place that it is about.

    ``path``: names of settings and numbers of items (from 0), from the outside in; empty where it
    is about the whole.
    """

    __slots__ = ("path",)
    path: tuple[str | int, ...]

    def __new__(cls, what: str, *path: str | int) -> Self:
        """Put words beside their path."""
        found = super().__new__(cls, what)
        found.path = path
        return found

    def inside(self, *outer: str | int) -> "PlacedProblem":
        """The same words, with the path as it is from further outside."""
        return PlacedProblem(self, *outer, *self.path)


class SettingError(ValueError):
    """A part refuses its settings; ``problems`` say why, each with its path in these settings."""

    problems: tuple[PlacedProblem, ...]

    def __init__(self, what: str, *path: str | int) -> None:
        super().__init__(what)
        one = what if isinstance(what, PlacedProblem) else PlacedProblem(what, *path)
        self.problems = (one,)

    @classmethod
    def of(cls, problems: Iterable[str]) -> Self:
        """One error for all of these; what has no path is about the whole."""
        found = [
            each if isinstance(each, PlacedProblem) else PlacedProblem(each) for each in problems
        ]
        error = cls("; ".join(found))
        error.problems = tuple(found)
        return error


def tuples(settings: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists only; frozen parts hold tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
