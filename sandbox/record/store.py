"""The run folder: one writer, many readers; everything whole or absent, resumable, self-explaining.

Reading needs neither torch nor the code of the world or the agent. A trial is complete when, and
only when, its ``status.json`` says ``done``: it is written last and holds the hashes of the rest.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.errors import InputError, IntegrityError, Problem
from sandbox.record import events
from sandbox.record.files import Disk, Log
from sandbox.record.ledger import Chain, Receipt
from sandbox.words import condition_name

JSON = Mapping[str, Any]


def to_json(data: JSON) -> bytes:
    """Readable, deterministic JSON text."""
    return (json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


# --- writing -----------------------------------------------------------------------------------


@dataclass
class RunFolder:
    """A run being written. ``locked`` keeps a second runner out."""

    folder: Path
    disk: Disk = field(default_factory=Disk)

    def begin(self, scenario: bytes, resolved: JSON, manifest: JSON) -> None:
        """Create the folder and record what is run with which program."""
        self.disk.folder(self.folder / "trials")
        self.disk.write(self.folder / "scenario.yaml", scenario)
        self.disk.write(self.folder / "resolved.json", to_json(resolved))
        self.disk.write(self.folder / "manifest.json", to_json(manifest))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process. Raises ``InputError`` if another one has it."""
        self.disk.folder(self.folder)
        path = self.folder / ".lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(handle, 100, 0).decode(errors="replace").strip()
                raise InputError(
                    Problem(str(self.folder), f"run is in use by process {holder}; wait or stop it")
                ) from None
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(handle)

    def is_done(self, trial: str) -> bool:
        """Was this trial finished by an earlier command?"""
        return read_status(self.folder / "trials" / trial).get("state") == "done"

    @contextlib.contextmanager
    def trial(self, trial: str, spec: JSON) -> Iterator["TrialFolder"]:
        """Write one trial from its start; what an unfinished attempt left is replaced."""
        folder = self.folder / "trials" / trial
        self.disk.folder(folder / "checkpoints")
        self.disk.remove(folder / "status.json")
        self.disk.write(folder / "spec.json", to_json(spec))
        with (
            self.disk.appending(folder / "events.jsonl") as event_log,
            self.disk.appending(folder / "ledger.jsonl") as ledger,
        ):
            yield TrialFolder(folder, self.disk, event_log, ledger, Chain(trial))


@dataclass
class TrialFolder:
    """One trial being written, by the runner; the process that trains holds none of these files."""

    folder: Path
    disk: Disk
    event_log: Log
    ledger_log: Log
    chain: Chain
    _events: Any = field(default_factory=hashlib.sha256)
    _weights: dict[str, str] = field(default_factory=dict)

    def event(self, line: str) -> None:
        """Append one event line."""
        self._events.update(line.encode() + b"\n")
        self.event_log.append(line)

    def ledger(self, body: JSON) -> Receipt:
        """Append one entry; it is on the disk when this returns."""
        self.ledger_log.append(self.chain.link(body), durable=True)
        return Receipt(self.chain.entries, self.chain.head)

    def weights(self, update: int, agent: str, state: JSON, tensors: bytes) -> str:
        """Keep a checkpoint of one agent; returns the SHA-256 of its tensors."""
        name = f"{update:06d}"
        folder = self.folder / "checkpoints" / name
        self.disk.folder(folder)
        sha = hashlib.sha256(tensors).hexdigest()
        written = {
            f"{agent}.safetensors": tensors,
            f"{agent}.state.json": to_json({**state, "sha256": sha}),
        }
        for file, data in written.items():
            self.disk.write(folder / file, data)
            self._weights[f"checkpoints/{name}/{file}"] = hashlib.sha256(data).hexdigest()
        return sha

    def finish(self, status: JSON, log: str) -> None:
        """Say how the trial ended. For ``done`` this is what makes it complete."""
        self.event_log.sync()
        if log:
            self.disk.write(self.folder / "log.txt", log.encode())
        account = {
            "ledger_entries": self.chain.entries,
            "ledger_head": self.chain.head,
            "events_sha256": self._events.hexdigest(),
            "weights_sha256": self._weights,
        }
        self.disk.write(self.folder / "status.json", to_json({**status, **account}))


# --- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrialRecord:
    """One trial as its files record it."""

    folder: Path
    id: str
    spec: dict[str, Any]
    status: dict[str, Any]  # {} where it never started

    @property
    def done(self) -> bool:
        """Complete, with all its events."""
        return self.status.get("state") == "done"

    @property
    def condition_name(self) -> str:
        """See ``condition_name``."""
        return condition_name(self.spec["condition"])

    @cached_property
    def events(self) -> list[events.Event]:
        """All whole lines of ``events.jsonl``. Raises ``IntegrityError`` naming the line."""
        path = self.folder / "events.jsonl"
        if not path.exists():
            return []
        found = []
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.endswith("\n"):
                    found.append(_event(line, path, number))
        return found


@dataclass(frozen=True)
class RunRecord:
    """A run folder, read."""

    folder: Path
    scenario: dict[str, Any]
    manifest: dict[str, Any]
    trials: tuple[TrialRecord, ...]


def read_run(folder: str | Path) -> RunRecord:
    """Read a run. Raises ``InputError`` where there is none, ``IntegrityError`` if damaged."""
    folder = Path(folder)
    if not (folder / "resolved.json").is_file():
        raise InputError(Problem(str(folder), "no run here: it has no resolved.json"))
    resolved = _json(folder / "resolved.json")
    found = resolved.get("format", 1)  # the first format called it "schema"
    if found != events.SCHEMA:
        what = f"is a run of format {found}, this version reads {events.SCHEMA}"
        raise InputError(Problem(str(folder), f"{what}; run its scenario again into another --out"))
    trials = sorted((folder / "trials").iterdir()) if (folder / "trials").is_dir() else []
    found = [_trial(each) for each in trials if (each / "spec.json").is_file()]
    found.sort(
        key=lambda trial: (trial.spec["env"]["id"], trial.condition_name, trial.spec["seed"])
    )
    return RunRecord(folder, resolved, _json(folder / "manifest.json"), tuple(found))


def chosen(run: RunRecord, trial: str | None) -> list[TrialRecord]:
    """The finished trials of a run, or the one whose id begins like this."""
    found = named(run, trial)
    done = [each for each in found if each.done]
    if not done:
        what = "no trial of this run" if trial is None else f"trial {found[0].id} of this run"
        raise InputError(Problem(str(run.folder), f"{what} was finished"))
    return done


def named(run: RunRecord, trial: str | None) -> list[TrialRecord]:
    """All trials of a run, or the one whose id begins like this. Raises ``InputError``."""
    found = [each for each in run.trials if trial is None or each.id.startswith(trial)]
    if not found or (trial is not None and len(found) > 1):
        what = "names several trials" if found else "names no trial"
        what = "the run has no trial yet" if trial is None else f"'{trial}' {what} of this run"
        raise InputError(Problem(str(run.folder), what))
    return found


def read_status(folder: Path) -> dict[str, Any]:
    """Return a trial's ``status.json``, or ``{}`` before it has ended."""
    path = folder / "status.json"
    return _json(path) if path.is_file() else {}


def _trial(folder: Path) -> TrialRecord:
    return TrialRecord(folder, folder.name, _json(folder / "spec.json"), read_status(folder))


def _event(line: str, path: Path, number: int) -> events.Event:
    try:
        return events.from_line(line)
    except IntegrityError as error:
        raise IntegrityError(f"{path}:{number}: error: {error}") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IntegrityError(f"{path}: error: cannot be read as JSON: {error}") from None
    if not isinstance(data, dict):
        raise IntegrityError(f"{path}: error: expected a JSON object")
    return data
