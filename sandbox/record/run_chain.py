"""The hash-chained files of a whole run, which later commands only add lines to.

``registration.jsonl`` holds what decides the verdicts, ``manifest.jsonl`` every command that wrote
to the folder and the end of every trial.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.record.files import Disk
from sandbox.record.ledger import Chain, check

JSON = Mapping[str, Any]
REGISTRATION, MANIFEST = "registration.jsonl", "manifest.jsonl"


def entries(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a chained file; none where it is missing.

    A last line without its line break was never finished and is left out. Raises
    ``IntegrityError`` naming the first line that is not as it was written.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[list[dict[str, Any]], str]:
    lines: list[str] = []
    if path.is_file():
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            lines = [line for line in file if line.endswith("\n")]
    return check(lines, path.name, str(path), path.stem)


@dataclass
class RunChain:
    """One chained file of a run, being written."""

    path: Path
    disk: Disk = field(default_factory=Disk)

    @cached_property
    def chain(self) -> Chain:
        """Where the file ends. Raises ``IntegrityError`` where it was changed."""
        found, head = _read(self.path)
        chain = Chain(self.path.name, len(found))
        chain.head = head
        return chain

    def add(self, body: JSON) -> str:
        """Add an entry; it is on the disk when this returns. Returns its hash."""
        self.disk.extend(self.path, self.chain.link(body))
        return self.chain.head
