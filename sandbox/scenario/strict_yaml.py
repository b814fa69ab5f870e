"""Reads strict YAML 1.2 as plain data, with the position of every key and value.

The text is read event by event and never turned into anything but dicts, lists and scalars.
Refused, each with its position: duplicate keys, tags, anchors, aliases, merge keys, keys that are
no plain words, numbers that are not finite or too long, nesting deeper than 16, more than one
document, and files that are too large, no regular files, or not UTF-8. A byte order mark and
Windows line ends are accepted. Whatever the input, the only exception is ``InputError``.

Plain YAML scalars by the core schema of YAML 1.2.2 (§10.3.2), and what this program refuses.

Departures, both towards safety: digits may be grouped by threes with underscores (``200_000``,
``2_000.5``), and a decimal with leading zeros (``010``) stays text, because YAML 1.1 reads it as
8 and YAML 1.2 as 10. Nothing of YAML 1.1 is read: ``no``, ``on``, ``12:30:45`` and
``2024-01-01`` are text.
"""

import math
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from sandbox.errors import InputError, Problem

Scalar = str | int | float | bool | None

LARGEST = 2**63 - 1
_MOST_DIGITS = 64
_CONTROLS = (range(0x20), range(0x7F, 0xA0), range(0xD800, 0xE000))  # C0, C1, surrogates
_GROUPED = r"(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:_[0-9]{3})+)"
_DECIMAL = re.compile(rf"[-+]?{_GROUPED}")
_OTHER_BASE = re.compile(r"0o([0-7]+)|0x([0-9a-fA-F]+)")
_FLOAT = re.compile(rf"[-+]?(?:\.[0-9]+|{_GROUPED}(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FORMER_BOOLEANS = frozenset(["yes", "no", "on", "off"])


def plain(text: str) -> Scalar:
    """Read an unquoted scalar. Raises ``ValueError`` with words for the author."""
    if text in _WORDS:
        return _WORDS[text]
    if _DECIMAL.fullmatch(text):
        return _integer(text.replace("_", ""), 10)
    if found := _OTHER_BASE.fullmatch(text):
        return _integer(found[1] or found[2], 8 if found[1] else 16)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"must be a finite number (got {text})")
    if _FLOAT.fullmatch(text):
        value = float(text.replace("_", ""))
        if not math.isfinite(value):
            raise ValueError(f"must be a finite number (got {text[:40]})")
        return value
    return checked(text)


def checked(text: str) -> str:
    """Return text that can be stored and shown. Raises ``ValueError``."""
    for character in text:
        code = ord(character)
        if any(code in each for each in _CONTROLS) and character not in "\n\t":
            raise ValueError(f"holds the control character U+{code:04X}; remove it")
    return text


def key(text: str, *, quoted: bool) -> str:
    """Read a key. Raises ``ValueError``: numbers, null and former booleans are no keys."""
    if text == "<<":
        raise ValueError("merge keys are not allowed: write the keys out")
    try:
        word = text if quoted else plain(text)
    except ValueError:
        word = None
    if not isinstance(word, str) or not word or (not quoted and word.lower() in _FORMER_BOOLEANS):
        raise ValueError(f"keys must be plain words (got {text[:40]!r})")
    return checked(word)


def _integer(digits: str, base: int) -> int:
    # 5,000 digits would make int() raise; 400 would pass and break JSON readers downstream.
    if len(digits) > _MOST_DIGITS or abs(int(digits, base)) > LARGEST:
        raise ValueError("must be an integer of at most 63 bits")
    return int(digits, base)


MAX_BYTES = 2**20
MAX_DEPTH = 16
MAX_VALUES = 20_000
_WINDOW = 100  # characters of a long line that an excerpt shows
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what the scanner counts as a line end
_UNPRINTABLE = yaml.reader.Reader.NON_PRINTABLE

Path = tuple[str | int, ...]
"""Keys and list positions from the top: ``("agent", "learner")``, ``("seeds", 0)``."""
Spot = tuple[int, int]
"""Line and column, from 0."""


@dataclass(frozen=True)
class Document:
    """What a text says and where it says it."""

    name: str
    data: Any
    values: Mapping[Path, Spot] = field(default_factory=dict)
    keys: Mapping[Path, Spot] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    source: bytes = field(default=b"", repr=False)
    """The file as it was read; empty for a text that came from elsewhere."""
    patches: Mapping[Path, str] = field(default_factory=dict)
    """Path -> the command-line option that set it; errors there name the option."""

    def problem(self, path: Path, what: str, *, at_key: bool = False) -> Problem:
        """Say what is wrong at ``path``, or at its nearest parent that was written down."""
        if option := self._option(path):
            return Problem(option, what)
        spots = self.keys if at_key else self.values
        while path and path not in spots:
            path, spots = path[:-1], self.values
        return _problem(self.name, self.lines, spots.get(path, (0, 0)), what)

    def patched(self, path: Path, data: Any, option: str) -> "Document":
        """Return the document with new data, of which ``path`` comes from ``option``."""
        return replace(self, data=data, patches={**self.patches, path: option})

    def order(self, path: Path) -> Spot:
        """Where ``path`` stands, to sort problems by; options come last."""
        if self._option(path):
            return (len(self.lines) + 1, 0)
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (0, 0))

    def _option(self, path: Path) -> str:
        for patch, option in reversed(list(self.patches.items())):
            made_by_it = bool(path) and patch[: len(path)] == path and path not in self.values
            if path[: len(patch)] == patch or made_by_it:
                return option
        return ""


def read(path: str | os.PathLike[str]) -> Document:
    """Read a file whose top is a mapping. Raises ``InputError`` with all its problems."""
    name = os.fspath(path)
    content = _bytes(name)
    document = replace(parse(content, name), source=content)
    if not isinstance(document.data, dict):
        raise InputError(document.problem((), f"must be a mapping, got {kind(document.data)}"))
    return document


def parse(content: str | bytes, name: str) -> Document:
    """Read a text with anything at its top. Raises ``InputError`` with all its problems."""
    text = content if isinstance(content, str) else _decoded(content, name)
    text = text.removeprefix("\ufeff")
    lines = tuple(_BREAK.split(text))
    if found := _UNPRINTABLE.search(text):
        what = f"the character U+{ord(found[0]):04X} is not allowed in YAML"
        raise InputError(_problem(name, lines, _spot(text, found.start()), what))
    reader = _Reader(name, lines)
    data = reader.document(text)
    if reader.problems:
        raise InputError(*reader.problems)
    return Document(name, data, reader.values, reader.keys, lines)


def kind(value: Any) -> str:
    """Name the kind of a value in the words of a scenario's author."""
    names = {dict: "a mapping", list: "a list", str: "text", bool: "true or false"}
    names |= {int: "an integer", float: "a number", type(None): "nothing"}
    return names[type(value)]


class _StopReading(Exception):  # noqa: N818  (control flow, never shown to a user)
    """The rest of the text cannot be read in a useful way."""


class _Reader:
    """Turns the events of one text into data, and collects problems on the way."""

    def __init__(self, name: str, lines: tuple[str, ...]) -> None:
        self.name, self.lines = name, lines
        self.values: dict[Path, Spot] = {}
        self.keys: dict[Path, Spot] = {}
        self.problems: list[Problem] = []

    def document(self, text: str) -> Any:
        data = None
        try:
            # The pure-Python parser: the C one ends the process at 50,000 levels of nesting.
            events = yaml.parse(text, Loader=yaml.SafeLoader)
            data = self._whole(events)
        except _StopReading:
            pass
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = ", ".join(each for each in (error.context, error.problem) if each)
            self._report((mark.line, mark.column) if mark else (0, 0), f"YAML syntax: {what}")
        except Exception as error:  # noqa: BLE001  (the scanner leaks ValueError and others)
            self._report((len(self.lines) - 1, 0), f"YAML syntax: {error}")
        return data

    def _whole(self, events: Iterator[Any]) -> Any:
        next(events)  # the start of the stream
        first = next(events)
        if isinstance(first, yaml.StreamEndEvent):
            self._stop((0, 0), "the file is empty")
        data = self._value(next(events), events, ())
        next(events)  # the end of the document
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._stop(_at(after), "a second document starts here; one file holds one scenario")
        return data

    def _value(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        self.values[path] = _at(event)
        if len(self.values) > MAX_VALUES:
            self._stop(_at(event), f"holds more than {MAX_VALUES:,} values")
        if len(path) >= MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent):
            self._stop(_at(event), f"nested deeper than {MAX_DEPTH}")
        self._refuse_references(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None

    def _refuse_references(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._report(_at(event), "aliases are not allowed: write the value out")
        elif event.anchor is not None:
            self._report(_at(event), "anchors are not allowed: write the value out")
        if getattr(event, "tag", None) is not None:
            self._report(_at(event), f"tags are not allowed ({event.tag[:60]!r})")

    def _sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            found.append(self._value(event, events, (*path, len(found))))
        return found

    def _mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            word = self._key(event, events, path)
            twice = word is not None and word in found
            if twice:
                first = self.keys[*path, word][0] + 1  # type: ignore[arg-type]
                self._report(_at(event), f"'{word}' is given twice (first on line {first})")
            name = f"\0{len(self.values)}" if word is None or twice else word
            self.keys[*path, name] = _at(event)
            value = self._value(next(events), events, (*path, name))
            if name == word:
                found[word] = value
        return found

    def _key(self, event: Any, events: Iterator[Any], path: Path) -> str | None:
        if not isinstance(event, yaml.ScalarEvent):
            self._report(_at(event), "keys must be plain words")
            if not isinstance(event, yaml.AliasEvent):
                self._value(event, events, (*path, f"\0{len(self.values)}"))
            return None
        self._refuse_references(event)
        try:
            return key(event.value, quoted=event.style is not None)
        except ValueError as error:
            self._report(_at(event), str(error))
            return None

    def _scalar(self, event: Any) -> Any:
        try:
            return plain(event.value) if event.style is None else checked(event.value)
        except ValueError as error:
            self._report(_at(event), str(error))
            return None

    def _report(self, spot: Spot, what: str) -> None:
        self.problems.append(_problem(self.name, self.lines, spot, what))

    def _stop(self, spot: Spot, what: str) -> None:
        self._report(spot, what)
        raise _StopReading


def _at(event: Any) -> Spot:
    return event.start_mark.line, event.start_mark.column


def _spot(text: str, index: int) -> Spot:
    before = _BREAK.split(text[:index])
    return len(before) - 1, len(before[-1])


def _problem(name: str, lines: tuple[str, ...], spot: Spot, what: str) -> Problem:
    line, column = spot
    return Problem(f"{name}:{line + 1}:{column + 1}", what, _excerpt(lines, line, column))


def _excerpt(lines: tuple[str, ...], line: int, column: int) -> str:
    if line >= len(lines) or not lines[line].strip():
        return ""
    start = max(0, column - _WINDOW // 2) if len(lines[line]) > _WINDOW else 0
    shown = lines[line][start : start + _WINDOW]
    clean = "".join(each if each.isprintable() else " " for each in shown)
    return f"{line + 1:5} | {clean}\n      | {' ' * (column - start)}^"


def _bytes(name: str) -> bytes:
    try:
        # O_NONBLOCK: opening a FIFO without a writer must not wait.
        handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise InputError(Problem(name, "is not a regular file; give a .yaml file"))
            with os.fdopen(handle, "rb", closefd=False) as file:
                content = file.read(MAX_BYTES + 1)
        finally:
            os.close(handle)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(Problem(name, f"cannot be read: {reason}")) from None
    if len(content) > MAX_BYTES:
        raise InputError(Problem(name, "is larger than 1 MiB; a scenario is a page of text"))
    return content


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8")
        line, column = _spot(good, len(good))
        hint = " (it looks like UTF-16)" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else ""
        where = f"{name}:{line + 1}:{column + 1}"
        raise InputError(Problem(where, f"is not UTF-8{hint}; save the file as UTF-8")) from None
