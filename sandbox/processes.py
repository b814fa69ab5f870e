"""Ends a process together with everything that it started, wherever that has gone.

Killing its group misses a child that opened a session of its own, and killing its descendants
misses one whose parent has ended. So a worker also leaves a mark in its environment, which every
program started from it inherits. (Linux: reads ``/proc``.)
"""

import contextlib
import os
import signal
from multiprocessing.process import BaseProcess
from pathlib import Path

MARK = "SANDBOX_WORKER"


def mark() -> None:
    """Mark this process as a worker; what it starts from here on can be told to be its own."""
    os.environ[MARK] = str(os.getpid())


def end(process: BaseProcess) -> None:
    """Kill a worker and whatever it has started, and wait until it is gone."""
    if process.pid is not None:
        started = _started_by(process.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        for pid in started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    if process.is_alive():
        process.kill()
    process.join()
    process.close()


def _started_by(worker: int) -> set[int]:
    """Descendants of this worker, and programs that carry its mark."""
    token = f"{MARK}={worker}".encode()
    children: dict[int, list[int]] = {}
    found: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        with contextlib.suppress(OSError):
            # The name in brackets may hold anything, even brackets; the parent comes after it.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(pid)
            if token in (folder / "environ").read_bytes().split(b"\0"):
                found.add(pid)
    waiting = [worker]
    while waiting:
        started = children.get(waiting.pop(), [])
        found.update(started)
        waiting += started
    return found - {worker}
