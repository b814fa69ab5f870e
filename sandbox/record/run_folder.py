"""Writing a run folder: one writer, everything whole or absent, resumable, self-explaining.

A trial is complete when, and only when, its ``status.json`` says ``done``: it is written last and
holds the hashes of the rest.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from sandbox.errors import InputError, Problem
from sandbox.record.files import Disk, Log
from sandbox.record.ledger import Chain, Receipt
from sandbox.record.run_chain import MANIFEST, REGISTRATION, RunChain, entries
from sandbox.record.store import read_status

JSON = Mapping[str, Any]


def to_json(data: JSON) -> bytes:
    """Readable, deterministic JSON text."""
    return (json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


@dataclass
class RunFolder:
    """A run being written. ``locked`` keeps a second runner out."""

    folder: Path
    disk: Disk = field(default_factory=Disk)
    changed_code: Callable[[], Sequence[str]] = tuple
    """What differs from the registered code by now; asked when a trial begins and ends."""

    def register(self, scenario: bytes, entry: JSON) -> None:
        """Create the folder and add an entry to its registration.

        ``entry``: ``resolved``, ``code``, ``commit``, ``when``, and the numbers of ``trials_begun``
        and ``trials_finished``. ``scenario``: the file's bytes, kept in it and beside it.
        """
        self.disk.folder(self.folder / "trials")
        so_far = self._manifest.chain
        place = {"manifest_entries": so_far.entries, "manifest_head": so_far.head}
        self._registration.add({**entry, **place, "yaml": scenario.decode(errors="replace")})
        self._lay_out()

    def begin(self, manifest: JSON) -> None:
        """Record with what program the trials are run that follow."""
        self._lay_out()
        head = self._registration.chain.head
        self._manifest.add({**manifest, "kind": "command", "registration": head})

    def _lay_out(self) -> None:
        """What the last entry of the registration holds, as files to read by themselves."""
        last = entries(self.folder / REGISTRATION)[-1]
        files = {"scenario.yaml": last["yaml"].encode(), "resolved.json": to_json(last["resolved"])}
        for name, data in files.items():
            path = self.folder / name
            if not path.is_file() or path.read_bytes() != data:
                self.disk.write(path, data)

    @cached_property
    def _registration(self) -> RunChain:
        return RunChain(self.folder / REGISTRATION, self.disk)

    @cached_property
    def _manifest(self) -> RunChain:
        return RunChain(self.folder / MANIFEST, self.disk)

    def _began(self, trial: str) -> Sequence[str]:
        """Record that a trial begins; returns what differs from the registered code."""
        number = self._registration.chain.entries
        self._manifest.add({"kind": "began", "trial": trial, "registration": number})
        return self.changed_code()

    def _ended(self, trial: str, spec: bytes, other: Sequence[str], status: JSON) -> None:
        """Record a trial's end in the chain of the run, before its own status says so."""
        self._manifest.add(
            {
                "kind": "trial",
                "trial": trial,
                "changed_code": sorted({*other, *self.changed_code()}),
                "spec_sha256": hashlib.sha256(spec).hexdigest(),
                "registration": self._registration.chain.entries,
                "state": status["state"],
                "ledger_head": status["ledger_head"],
                "events_sha256": status["events_sha256"],
                "status_sha256": hashlib.sha256(to_json(status)).hexdigest(),
            }
        )

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
        other = self._began(trial)
        self.disk.remove(folder / "status.json")
        written = to_json(spec)
        with (
            self.disk.appending(folder / "events.jsonl") as event_log,
            self.disk.appending(folder / "ledger.jsonl") as ledger,
        ):
            self.disk.write(folder / "spec.json", written)  # and with it the names of the two logs
            yield TrialFolder(
                folder,
                self.disk,
                event_log,
                ledger,
                Chain(trial),
                partial(self._ended, trial, written, other),
            )


@dataclass
class TrialFolder:
    """One trial being written, by the runner; the process that trains holds none of these files."""

    folder: Path
    disk: Disk
    event_log: Log
    ledger_log: Log
    chain: Chain
    ended: Callable[[JSON], None]
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
        self.disk.write_all(folder, written)
        for file, data in written.items():
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
        whole = {**status, **account}
        self.ended(whole)
        self.disk.write(self.folder / "status.json", to_json(whole))
