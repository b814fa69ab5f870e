"""A table of trials: seed, condition, env, and the columns that claims are about.

A row is one trial. Every cell that cannot be used is named with its line and column, all at once.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import InputError, Problem, did_you_mean
from sandbox.judging import csv_file

if TYPE_CHECKING:
    import pandas as pd

SEED, CONDITION, ENV = "seed", "condition", "env"
NO_METRICS = frozenset({SEED, CONDITION, ENV})
ONE_ENV = "all"
"""Name of the env of a table that has no such column."""
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})
"""Of a metric: it was not measured. Case does not matter."""
LARGEST = 1e100
"""Above it, squares of differences overflow."""
LARGEST_SEED = 2**63 - 1
LARGEST_EXACT = 2**53
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", re.ASCII)
_WHOLE = re.compile(r"[-+]?[0-9]{1,19}(\.0*)?", re.ASCII)
_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+", re.ASCII)

_WORDS = {"true": "; write 1", "false": "; write 0"}


@dataclass(frozen=True)
class RawTable:
    """Cells as they were given, and where each row stands."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    places: Sequence[str]  # of every row: "table.csv:12", "row 11 of the frame"

    def need(self, names: Iterable[str]) -> None:
        """Raise ``InputError`` naming every column that is not there."""
        known = [each for each in self.columns if each not in NO_METRICS]
        lacking = [each for each in dict.fromkeys(names) if each not in self.columns]
        csv_file.stop(
            [
                Problem(
                    self.name,
                    f"no column is called {each!r}; there are"
                    f" {', '.join(map(str, self.columns)) or 'none'}"
                    f"{did_you_mean(each, known if each not in _FIXED else self.columns)}",
                )
                for each in lacking
            ]
        )


_FIXED = (SEED, CONDITION)


@dataclass(frozen=True)
class Table:
    """What was measured: (seed, condition, env) -> column -> value, ``None`` where it was not."""

    name: str
    trials: Mapping[tuple[int, str, str], Mapping[str, float | None]]
    measured: frozenset[str]  # columns that were read

    @property
    def conditions(self) -> list[str]:
        """In the order of their first rows."""
        return [*dict.fromkeys(condition for _, condition, _ in self.trials)]

    @property
    def envs(self) -> list[str]:
        """In the order of their first rows."""
        return [*dict.fromkeys(env for _, _, env in self.trials)]


def read_file(path: str | Path) -> RawTable:
    """Read a CSV file, or Parquet by its ending. Raises ``InputError``."""
    path = Path(path)
    if path.suffix.lower() in {".parquet", ".pq"}:
        return of_frame(_parquet(path), str(path))
    columns, lines = csv_file.read(path)
    return RawTable(
        str(path), columns, [cells for _, cells in lines], [f"{path}:{line}" for line, _ in lines]
    )


def _parquet(path: Path) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415  (0.4 s: imported only where a frame is asked for)

    csv_file.check_size(path)
    try:
        return pd.read_parquet(path)
    except ImportError:
        what = "reading Parquet needs pyarrow: pip install 'sandbox-lab[parquet]', or give CSV"
        raise InputError(Problem(str(path), what)) from None
    except Exception as error:  # noqa: BLE001  (the library's own errors have no common base)
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(Problem(str(path), f"cannot be read as Parquet: {first}")) from None


def of_frame(frame: "pd.DataFrame", name: str = "data frame") -> RawTable:
    """Take a data frame as it is. Raises ``InputError`` where it is none or has a column twice."""
    columns = list(getattr(frame, "columns", ()))
    if not hasattr(frame, "itertuples"):
        raise InputError(Problem(name, f"must be a data frame, got {type(frame).__name__}"))
    twice = sorted({str(each) for each in columns if columns.count(each) > 1})
    csv_file.stop([Problem(name, f"column {each!r} is there twice") for each in twice])
    if len(frame) > csv_file.MOST_ROWS:
        raise InputError(Problem(name, csv_file.too_many()))
    rows = [list(each) for each in frame.itertuples(index=False, name=None)]
    return RawTable(name, columns, rows, [f"{name}, row {i}" for i in range(1, len(rows) + 1)])


def measured(
    raw: RawTable, metrics: Sequence[str], limits: Mapping[str, tuple[float, float]]
) -> Table:
    """Read the cells of these columns. Raises ``InputError`` naming every bad one.

    ``limits``: of a metric; a value outside of it is an error.
    """
    raw.need((SEED, CONDITION, *metrics))
    if not raw.rows:
        raise InputError(Problem(raw.name, "has a heading and no rows"))
    at = {
        name: list(raw.columns).index(name)
        for name in (SEED, CONDITION, ENV, *metrics)
        if name in raw.columns
    }
    found: dict[tuple[int, str, str], dict[str, float | None]] = {}
    first: dict[tuple[int, str, str], str] = {}
    problems: list[Problem] = []
    for place, row in zip(raw.places, raw.rows, strict=True):
        cells = _Cells(place, {name: row[i] for name, i in at.items()}, problems)
        env = cells.label(ENV) if ENV in at else ONE_ENV
        key = (cells.seed(), cells.label(CONDITION), env)
        values = {name: cells.number(name, *limits[name]) for name in metrics}
        if key in found:
            names = dict(zip((SEED, CONDITION, ENV), key, strict=True))
            same = ", ".join(f"{k} {v}" for k, v in names.items() if k in at)
            problems.append(Problem(place, f"{same} stands at {first[key]} already"))
        elif not cells.bad_key:
            found[key], first[key] = values, place
    csv_file.stop(problems)
    return Table(raw.name, found, frozenset(metrics))


class _Cells:
    """The cells of one row; what cannot be used is noted with its column."""

    def __init__(self, place: str, row: Mapping[str, Any], problems: list[Problem]) -> None:
        self.place, self.row, self.problems = place, row, problems
        self.bad_key = False

    def _wrong(self, column: str, what: str) -> None:
        self.problems.append(Problem(self.place, f"column {column!r}: {what}"))

    def seed(self) -> int:
        text = _text(self.row[SEED])
        if not _WHOLE.fullmatch(text) or abs(int(text.partition(".")[0])) > LARGEST_SEED:
            self._wrong(SEED, f"must be a whole number, not {_shown(text)}{_digits(text)}")
            self.bad_key = True
            return 0
        return int(text.partition(".")[0])

    def label(self, column: str) -> str:
        text = label(self.row[column])
        if not text:
            self._wrong(column, "is blank")
            self.bad_key = True
        return text

    def number(self, column: str, low: float, high: float) -> float | None:
        text = _text(self.row[column])
        if text.lower() in MISSING:
            return None
        if not _NUMBER.fullmatch(text):
            self._wrong(column, _no_number(text))
            return None
        value, slack = float(text), 1e-9 * (high - low) if math.isfinite(high - low) else 0.0
        if abs(value) > LARGEST:
            self._wrong(column, f"{_shown(text)} is too large to be squared (above {LARGEST:g})")
        elif not low - slack <= value <= high + slack:
            inside = f"{low:g} to {high:g}, the range of '{column}'"
            self._wrong(column, f"{_shown(text)} lies outside {inside} (--range gives another)")
        return value


def label(value: Any) -> str:
    """The name of a condition or env; of a whole number without a point."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_EXACT
    return str(int(value)) if whole else _text(value)


def _text(value: Any) -> str:
    """A cell of a file or of a frame as text; what pandas holds for "not there" as nothing."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return ""
    if isinstance(value, float) or type(value).__name__.startswith("float"):
        return "" if math.isnan(value) else repr(float(value))
    return str(value).strip()


def _digits(text: str) -> str:
    """A suggestion for a seed with a word before its number."""
    found = re.fullmatch(r"[A-Za-z_ ]+[-_ ]?([0-9]+)", text, re.ASCII)
    return f"; write {int(found[1])}" if found else ""


def _no_number(text: str) -> str:
    if text.lower().lstrip("+-") in {"inf", "infinity"}:
        return f"{_shown(text)} is not finite; leave the cell blank where nothing was measured"
    hint = _WORDS.get(text.lower(), "")
    if _COMMA.fullmatch(text):
        hint = f"; write {text.replace(',', '.')}"
    elif text.endswith("%") and _NUMBER.fullmatch(text[:-1].rstrip()):
        hint = "; leave out the %, and give the smallest effect in the same unit"
    return f"{_shown(text)} is no number{hint}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")  # noqa: PLR2004  (a line is short)
