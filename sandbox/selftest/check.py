"""One known number, or a few that belong together, and what this machine computes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt

Numbers = float | Sequence[float] | npt.NDArray[np.float64]
Measure = Callable[[], Numbers]


@dataclass(frozen=True)
class KnownNumber:
    """A known number and how it is computed; ``page`` is what ``--only`` picks by."""

    page: str
    what: str
    expected: tuple[float, ...]
    within: float  # greatest absolute difference that is no disagreement
    measure: Measure
    source: str  # closed form, paper or program, in a few words


@dataclass(frozen=True)
class Computed:
    """A known number as computed here."""

    check: KnownNumber
    got: tuple[float, ...]
    seconds: float
    error: str = ""

    @property
    def difference(self) -> float:
        """Greatest absolute difference; infinite where there is nothing to compare."""
        if self.error or len(self.got) != len(self.check.expected):
            return float("inf")
        return float(np.max(np.abs(np.subtract(self.got, self.check.expected))))

    @property
    def agrees(self) -> bool:
        """Is every number within what is allowed?"""
        return self.difference <= self.check.within


def known(  # noqa: PLR0917 - a row of a table
    page: str,
    what: str,
    expected: Numbers,
    within: float,
    measure: Measure,
    source: str,
) -> KnownNumber:
    """A check of one number or several."""
    return KnownNumber(page, what, _numbers(expected), within, measure, source)


def computed(checks: Iterable[KnownNumber]) -> Iterator[Computed]:
    """Compute one after the other; an exception of a measurement is recorded."""
    for check in checks:
        begun = perf_counter()
        try:
            got, error = _numbers(check.measure()), ""
        except Exception as problem:  # noqa: BLE001  (one broken part must not hide the others)
            got, error = (), f"{type(problem).__name__}: {problem}"
        yield Computed(check, got, perf_counter() - begun, error)


def _numbers(found: Numbers) -> tuple[float, ...]:
    return tuple(float(each) for each in np.atleast_1d(np.asarray(found, float)))
