"""All durable writes: every operation on the disk is counted and can be made to fail.

Whatever must survive a crash or a power cut goes through a ``Disk``. A test hands in ``before``, a
function that is called ahead of every operation and may raise, kill the process, or cut a write
short; looping it over N = 1, 2, … tries a failure at every single operation.
"""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sandbox.errors import ResourceError

_USED_UP = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
TEMPORARY = ".tmp-"
BLOCK = 65536


class Operation(NamedTuple):
    """One durable operation about to happen."""

    number: int  # counted from 1 since the Disk was made
    kind: str  # write | fsync | rename | fsync_folder | folder | create | remove | cut
    path: Path


Before = Callable[[Operation], int | None]
"""Called before each operation. Raises to fail it; for ``write``, a number keeps only so many bytes
and then fails with ``OSError(EIO)``, as a torn write does."""


@dataclass
class Disk:
    """Writes that are whole or not at all, and appends that are on the disk when they return."""

    before: Before | None = None
    count: int = field(default=0, init=False)

    def write(self, path: Path, data: bytes) -> None:
        """Replace a file as a whole: temporary file, fsync, rename, fsync of the folder."""
        self.write_all(path.parent, {path.name: data})

    def write_all(self, folder: Path, files: Mapping[str, bytes]) -> None:
        """Replace each of these files of one folder as a whole; all are on the disk afterwards."""
        for name, data in files.items():
            with _explained(folder / name):
                self._write_beside(folder / f"{TEMPORARY}{name}", data)
        with _explained(folder):
            for name in files:
                self._ask("rename", folder / name)
                (folder / f"{TEMPORARY}{name}").replace(folder / name)
            self._fsync_folder(folder)

    def _write_beside(self, temporary: Path, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        handle = os.open(temporary, flags, 0o644)
        try:
            self.put(handle, temporary, data)
            self.settle(handle, temporary)
        finally:
            os.close(handle)

    def folder(self, path: Path) -> None:
        """Create a folder and its parents durably; one that exists is left alone."""
        missing = [each for each in (path, *path.parents) if not each.exists()]
        with _explained(path):
            for each in reversed(missing):
                self._ask("folder", each)
                each.mkdir(exist_ok=True)
                self._fsync_folder(each.parent)

    def remove(self, path: Path) -> None:
        """Remove a file durably; one that is not there is no error."""
        if path.exists() or path.is_symlink():
            with _explained(path):
                self._ask("remove", path)
                path.unlink()
                self._fsync_folder(path.parent)

    @contextlib.contextmanager
    def appending(self, path: Path) -> Iterator["Log"]:
        """Open an empty log for appending, a new file; whatever stood there before is gone.

        Its name is on the disk after the next ``write`` beside it, its lines when they are synced.
        """
        with _explained(path):
            self._ask("create", path)
            path.unlink(missing_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            yield Log(self, path, handle)
        finally:
            os.close(handle)

    def extend(self, path: Path, line: str) -> None:
        """Add one line durably, to a new file or to whole lines; a line cut short is removed."""
        with _explained(path):
            new = not path.exists()
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
            try:
                whole = _end_of_lines(handle)
                if whole < os.fstat(handle).st_size:
                    self._ask("cut", path)
                    os.ftruncate(handle, whole)
                self.put(handle, path, line.encode() + b"\n")
                self.settle(handle, path)
            finally:
                os.close(handle)
            if new:
                self._fsync_folder(path.parent)

    def put(self, handle: int, path: Path, data: bytes) -> None:
        """Write all of ``data`` to an open file."""
        kept = self._ask("write", path)
        rest = memoryview(data if kept is None else data[:kept])
        while rest:
            rest = rest[os.write(handle, rest) :]
        if kept is not None:
            raise OSError(errno.EIO, "write cut short", str(path))

    def settle(self, handle: int, path: Path) -> None:
        """Bring what was put into an open file to the disk."""
        self._ask("fsync", path)
        os.fsync(handle)

    def _fsync_folder(self, path: Path) -> None:
        self._ask("fsync_folder", path)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _ask(self, kind: str, path: Path) -> int | None:
        self.count += 1
        return self.before(Operation(self.count, kind, path)) if self.before else None


@dataclass
class Log:
    """A file that only grows."""

    disk: Disk
    path: Path
    handle: int

    def append(self, line: str, *, durable: bool = False) -> None:
        """Add one line. With ``durable`` it is on the disk when this returns."""
        with _explained(self.path):
            self.disk.put(self.handle, self.path, line.encode() + b"\n")
            if durable:
                self.sync()

    def sync(self) -> None:
        """Bring everything appended so far to the disk."""
        with _explained(self.path):
            self.disk.settle(self.handle, self.path)


def _end_of_lines(handle: int) -> int:
    """Bytes up to and with the last line break of an open file."""
    end = os.fstat(handle).st_size
    while end:
        start = max(0, end - BLOCK)
        found = os.pread(handle, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _USED_UP:
            what = os.strerror(error.errno or 0)
            raise ResourceError(
                f"error: {what} while writing {path}; free some and run the same command again"
            ) from error
        raise
