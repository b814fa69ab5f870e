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
    """A known number and how it is computed; ``id`` is what ``--only`` picks by."""

    id: str  # topic and number, as in I7; several checks may share one
    what: str
    expected: tuple[float, ...]
    tolerance: float  # greatest absolute difference at which a check still passes
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
        """Is the greatest difference within the tolerance?"""
        return self.difference <= self.check.tolerance


def known(  # noqa: PLR0917 - a row of a table
    check_id: str,
    what: str,
    expected: Numbers,
    tolerance: float,
    measure: Measure,
    source: str,
) -> KnownNumber:
    """A check of one number or several."""
    return KnownNumber(check_id, what, _numbers(expected), tolerance, measure, source)


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
