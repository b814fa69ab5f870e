"""Reads a CSV file as rows of text, each with its line; whatever is wrong is named with its line.

Comma-separated UTF-8 with a heading. Quoted cells may hold commas and line ends.
"""

import csv
import io
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from sandbox.errors import InputError, Problem

MOST_BYTES = 256 * 2**20
MOST_ROWS = 1_000_000
OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
Lines = list[tuple[int, list[str]]]


def read(path: Path) -> tuple[list[str], Lines]:
    """Return the columns, and every row with the number of its line. Raises ``InputError``."""
    rows = _rows(path, _text(path))
    head, columns = next(rows, (1, []))
    if not any(columns):
        raise InputError(
            Problem(f"{path}:1", "the file is empty; its first line names the columns")
        )
    _check_heading(path, columns)
    found: Lines = []
    problems: list[Problem] = []
    for line, cells in rows:
        if len(cells) != len(columns):
            heading = f"the heading (line {head}) has {len(columns)}: {', '.join(columns)[:60]}"
            problems.append(Problem(f"{path}:{line}", f"has {len(cells)} cells, {heading}"))
        found.append((line, cells))
        if len(found) > MOST_ROWS:
            raise InputError(Problem(f"{path}:{line}", too_many()))
    stop(problems)
    return columns, found


def too_many() -> str:
    """Why a table is refused that cannot be one row a trial."""
    return f"more than {MOST_ROWS:,} rows; a row is one trial (a seed, condition and env)"


def stop(problems: Sequence[Problem], most: int = 20) -> None:
    """Raise the first of these, and how many more there are; nothing without any."""
    if len(problems) > most:
        raise InputError(*problems[:most], f"and {len(problems) - most:,} more like these")
    if problems:
        raise InputError(*problems)


def _text(path: Path) -> str:
    data = _bytes(path)
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise InputError(Problem(f"{path}:1:1", "looks like UTF-16; save the file as UTF-8"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = data.rfind(b"\n", 0, error.start) + 1
        line = data.count(b"\n", 0, error.start) + 1
        where = f"{path}:{line}:{error.start - start + 1}"
        what = f"is not UTF-8 (byte 0x{data[error.start]:02X}); save the file as UTF-8"
        raise InputError(Problem(where, what)) from None


def _bytes(path: Path) -> bytes:
    try:
        # O_NONBLOCK: opening a FIFO without a writer must not wait.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise InputError(Problem(str(path), "is not a regular file; give a CSV file"))
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(Problem(str(path), f"cannot be read: {reason}")) from None
    _check_size(path, len(data))
    return data


def check_size(path: Path) -> None:
    """Raise ``InputError`` where there is no file, or one that is too large."""
    if not path.is_file():
        raise InputError(Problem(str(path), "cannot be read: no such file"))
    _check_size(path, path.stat().st_size)


def _check_size(path: Path, size: int) -> None:
    if size > MOST_BYTES:
        what = f"is larger than {MOST_BYTES // 2**20} MiB; leave out columns that no claim is about"
        raise InputError(Problem(str(path), what))


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line that each begins on; lines without anything are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InputError(Problem(f"{path}:{line}", f"is no CSV: {error}")) from None
        if cells is None:
            return
        if any(each.strip() for each in cells):
            yield line, [each.strip() for each in cells]
        line = reader.line_num + 1


def _check_heading(path: Path, columns: Sequence[str]) -> None:
    where = f"{path}:1"
    for sign, name in OTHER_DELIMITERS.items():
        if len(columns) == 1 and sign in columns[0]:
            what = f"the columns are separated by {name}; save the file with commas"
            raise InputError(Problem(where, what))
    twice = [name for name, count in Counter(columns).items() if count > 1]
    stop([Problem(where, f"{_called(name)} stands twice in the heading") for name in twice])


def _called(column: str) -> str:
    return f"column {column!r}" if column else "a column without a name"
