"""Runs a trial again from its spec and seed, in memory, and compares it with the record.

The hash chain detects a changed line unless every later line was rewritten as well. Replay also
detects a chain that was rewritten as a whole, ``status.json`` included: it makes every line anew,
in the same kind of process as a run, and names the first that differs.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

from sandbox.errors import IntegrityError
from sandbox.execution.arithmetic import differing
from sandbox.record.differences import differences, leaves
from sandbox.record.events import Event
from sandbox.record.files import Disk, Log
from sandbox.record.run_folder import RunFolder
from sandbox.record.store import RunRecord, TrialRecord, chosen, read_run

SHOWN = 80
NUMERIC = ("torch", "numpy")
"""Packages whose version may change the last digit of a weight."""


@dataclass(frozen=True)
class Replayed:
    """A trial whose second run gave the same bytes."""

    trial: str
    condition: str
    seed: int
    entries: int  # lines of the ledger
    events: int
    files: int  # of weights
    head: str  # of the ledger


@dataclass
class MemoryDisk(Disk):
    """A disk that keeps everything in memory: name -> bytes."""

    files: dict[Path, bytearray] = field(default_factory=dict)

    def write_all(self, folder: Path, files: Mapping[str, bytes]) -> None:
        """See ``Disk``."""
        self.files |= {folder / name: bytearray(data) for name, data in files.items()}

    def folder(self, path: Path) -> None:
        """Folders need not be made."""

    def remove(self, path: Path) -> None:
        """See ``Disk``."""
        self.files.pop(path, None)

    def extend(self, path: Path, line: str) -> None:
        """See ``Disk``."""
        self.files.setdefault(path, bytearray()).extend(line.encode() + b"\n")

    @contextlib.contextmanager
    def appending(self, path: Path) -> Iterator[Log]:
        """See ``Disk``."""
        self.write(path, b"")
        yield cast("Log", _Lines(self.files[path]))


@dataclass
class _Lines:
    held: bytearray

    def append(self, line: str, *, durable: bool = False) -> None:
        del durable
        self.held += line.encode() + b"\n"

    def sync(self) -> None:
        """Nothing to do: the lines stay in memory."""


@dataclass(frozen=True)
class _NullRecorder:
    """Receives the events of a replay and drops them."""

    def add(self, event: Event) -> None:
        del event

    def close(self) -> None:
        """Nothing was opened."""


def replay(
    folder: str | Path,
    trial: str | None = None,
    plugins: Sequence[str] = (),
    on_each: Callable[[Replayed], None] = lambda _: None,
) -> list[Replayed]:
    """Run the finished trials of a run again, or one; ``on_each`` is called with each.

    Raises ``InputError`` where there is no such trial, ``IntegrityError`` naming the first line
    that differs.
    """
    run = read_run(folder)
    found = []
    for record in chosen(run, trial):
        found.append(_replay(run, record, tuple(plugins)))
        on_each(found[-1])
    return found


def _replay(run: RunRecord, record: TrialRecord, plugins: tuple[str, ...]) -> Replayed:
    replayed, files = _run_again(run, record, plugins), _recorded(record)
    for name in ("ledger.jsonl", "events.jsonl"):
        _compare(run, record.folder / name, replayed.get(name, b""), files.get(name, b""))
    for name in sorted({*replayed, *files}):
        if replayed.get(name) != files.get(name):
            there = "is not recorded" if name not in files else "differs from the replay"
            there = "is none that the replay made" if name not in replayed else there
            raise _diverged(run, record.folder / name, f"this file {there}")
    return Replayed(
        trial=record.id,
        condition=record.condition_name,
        seed=record.spec["seed"],
        entries=replayed["ledger.jsonl"].count(b"\n"),
        events=replayed["events.jsonl"].count(b"\n"),
        files=len(replayed) - 2,
        head=json.loads(replayed["ledger.jsonl"].splitlines()[-1])["hash"],
    )


def _run_again(run: RunRecord, record: TrialRecord, plugins: tuple[str, ...]) -> dict[str, bytes]:
    """All files of the trial, made again by a process of its own; clocks are left out."""
    from sandbox.execution.executor import Job, LocalExecutor, limits_of  # noqa: PLC0415

    disk, reasons = MemoryDisk(), list[str]()
    executor = LocalExecutor(
        run=RunFolder(run.folder, disk),
        workers=1,
        limits=limits_of(run.scenario["limits"]),
        plugins=plugins,
        watch=lambda _: _NullRecorder(),
        announce=reasons.append,
    )
    if executor.execute([Job(record.id, record.spec, 0)], done_before=0):
        raise IntegrityError(f"{record.folder}: error: cannot be run again: {reasons[0]}")
    made = {
        path.relative_to(record.folder).as_posix(): data
        for path, data in disk.files.items()
        if path.is_relative_to(record.folder)
    }
    return {name: bytes(data) for name, data in made.items() if _is_record(name)}


def _recorded(record: TrialRecord) -> dict[str, bytes]:
    files = (path for path in sorted(record.folder.rglob("*")) if path.is_file())
    named = {path.relative_to(record.folder).as_posix(): path for path in files}
    return {name: path.read_bytes() for name, path in named.items() if _is_record(name)}


def _is_record(name: str) -> bool:
    return name in {"ledger.jsonl", "events.jsonl"} or name.startswith("checkpoints/")


def _compare(run: RunRecord, path: Path, replayed: bytes, recorded: bytes) -> None:
    """Raise ``IntegrityError`` at the first line that differs."""
    ours, theirs = replayed.splitlines(keepends=True), recorded.splitlines(keepends=True)
    for number, (mine, written) in enumerate(zip(ours, theirs, strict=False), start=1):
        if mine != written:
            raise _diverged(run, path, difference(mine, written), number)
    if len(ours) != len(theirs):
        what = f"{len(theirs)} lines are recorded, the replay made {len(ours)}"
        raise _diverged(run, path, what, min(len(ours), len(theirs)) + 1)


def difference(replayed: bytes, recorded: bytes) -> str:
    """Name the first entry that two JSON lines do not share, the hashes that follow from it last.

    ``cost_flops: 0.0 is recorded, the replay gives 512.0``.
    """
    try:
        written, mine = (_flat(json.loads(each)) for each in (recorded, replayed))
    except ValueError:
        return "the recorded line cannot be read"
    found = {key: (was, now) for (key,), was, now in differences(written, mine)}
    if not found:
        return "same data, spelled otherwise"
    key = min(found, key=lambda key: (key in {"hash", "previous"}, key))
    was, now = (str(each)[:SHOWN] for each in found[key])
    return f"{key}: {was} is recorded, the replay gives {now}"


def _flat(data: Any) -> dict[str, Any]:
    return {".".join(path): each for path, each in leaves(data)}


def _diverged(run: RunRecord, path: Path, what: str, line: int | None = None) -> IntegrityError:
    place = f"{path}:{line}" if line else str(path)
    return IntegrityError(f"{place}: error: the replay diverges here: {what}{_versions(run)}")


def _versions(run: RunRecord) -> str:
    """What else may explain a divergence: another version, or another core, that does the sums."""
    then = run.manifest.get("packages", {})
    other = [
        f"{name} {then[name]}, here {_version(name)}"
        for name in NUMERIC
        if name in then and then[name] != _version(name)
    ]
    other += differing(run.manifest)
    return f" (the run was made with {'; '.join(other)})" if other else ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
