"""Ends a process together with everything that it started, wherever that has gone.

Killing its group misses a child that opened a session of its own, and killing its descendants
misses one whose parent has ended. So a worker also leaves a mark in its environment, which every
program started from it inherits. (Linux: reads ``/proc``.)
"""

import contextlib
import ctypes
import os
import signal
import sys
import types
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

MARK = "SANDBOX_WORKER"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_PR_SET_PDEATHSIG = 1


def mark() -> None:
    """Mark this process as a worker; what it starts from here on can be recognised by it."""
    os.environ[MARK] = str(os.getpid())


def confine() -> None:
    """Let this process, and what it starts, be ended from outside, at the latest with its maker."""
    os.setsid()  # so that its maker can end its whole group
    mark()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let what is started meanwhile do its linear algebra in one thread.

    NumPy's sums hang on how many threads share them, and it asks the environment once, on import.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def no_main() -> Iterator[None]:
    """Hide the caller's script, which every new process would run again from its first line."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def death(code: int | None) -> str:
    """Say how a process ended: by which signal, or with which exit code."""
    if code is None:
        return "closed its line"
    if code < 0:
        known = {each.value for each in signal.Signals}
        return f"ended by {signal.Signals(-code).name if -code in known else f'signal {-code}'}"
    return f"ended with exit code {code}"


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
