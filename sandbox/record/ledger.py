"""Append-only, hash-chained lines: the ledger of a trial, the registration and log of a run.

One canonical JSON line an entry. ``hash`` is the SHA-256 of the line without it, ``previous`` the
hash of the line before (for the first of its origin: a trial's id, or the name of the file), so a
changed, missing, inserted or moved line is found at its place. A chain alone cannot show that its
tail was cut or all of it rewritten: a trial's head is also kept in its ``status.json``, in its
events and in the run's manifest, and printed for people to keep.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.errors import IntegrityError


class Receipt(NamedTuple):
    """What the writer of a ledger gives back: the entry is on the disk."""

    entry: int  # line number, from 1
    head: str  # hash of that line


def canonical(data: Mapping[str, Any]) -> str:
    """The one spelling of this data: sorted keys, no blanks. NaN and infinity are refused."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Chain:
    """The growing end of one chain."""

    origin: str
    entries: int = 0
    head: str = field(init=False)

    def __post_init__(self) -> None:
        self.head = digest(self.origin)

    def link(self, body: Mapping[str, Any]) -> str:
        """Return the next line for this body and move the head to it."""
        linked = {**body, "entry": self.entries + 1, "previous": self.head}
        self.head = digest(canonical(linked))
        self.entries += 1
        return canonical({**linked, "hash": self.head})


def check(
    lines: Iterable[str], origin: str, where: str, what: str = "ledger"
) -> tuple[list[dict[str, Any]], str]:
    """Return the entries and the head. Raises ``IntegrityError`` naming the first broken line."""
    chain = Chain(origin)
    entries = []
    for number, line in enumerate(lines, start=1):
        entry = _parsed(line)
        body = {k: v for k, v in entry.items() if k not in {"entry", "previous", "hash"}}
        if chain.link(body) + "\n" != line:
            raise IntegrityError(
                f"{where}:{number}: error: {what} broken at line {number}: {_why(entry, chain)}"
            )
        entries.append(entry)
    return entries, chain.head


def _parsed(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line, parse_constant=_no_json)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _no_json(name: str) -> None:
    raise ValueError(name)  # NaN and infinities, which Python would accept


def _why(entry: Mapping[str, Any], chain: Chain) -> str:
    if not entry:
        return "it is not an entry at all"
    if entry.get("entry") != chain.entries:
        return f"entry {entry.get('entry')!r} stands where entry {chain.entries} belongs"
    if entry.get("hash") != chain.head:
        return "its text or its link does not match its hash"
    return "it is not in canonical form"
