"""Runs the checks of an env in a process of their own: a third-party env may hang, or end it.

The process sends JSON lines over a pipe, each as soon as it is known, so that nothing that was
found is lost. Whatever happens, it is ended with all that it has started.
"""

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

from sandbox.checkup.findings import Finding
from sandbox.errors import one_line
from sandbox.execution.processes import confine, death, end, no_main

LIMIT = 60.0
"""Seconds without a finding or a step after which an env counts as hanging."""
POLL_SECONDS = 0.1
BEAT_SECONDS = 1.0

Message = tuple[str, Any]
Task = tuple[str, str, Mapping[str, Any], Sequence[str]]
"""What to do (``checks`` or ``spaces``), env id, its kwargs, modules to plug in."""


def check(
    env_id: str,
    kwargs: Mapping[str, Any],
    plugins: Sequence[str] = (),
    limit: float = LIMIT,
) -> Iterator[Finding]:
    """Yield findings as they come; a hang and a death are findings. Raises ``InputError``."""
    from sandbox.checkup.check_env import find  # noqa: PLC0415  (Gymnasium)

    find(env_id, kwargs)
    for kind, data in _talk(("checks", env_id, kwargs, plugins), limit):
        yield Finding(**data) if kind == "finding" else Finding(kind, ok=False, detail=data)


def spaces(env_id: str, plugins: Sequence[str] = (), limit: float = 20.0) -> dict[str, str]:
    """Say what the env shows and takes, or under ``not made`` why it cannot be made here."""
    for kind, data in _talk(("spaces", env_id, {}, plugins), limit):
        return dict(data) if kind == "spaces" else {"not made": data}
    return {}


def _talk(task: Task, limit: float) -> Iterator[Message]:
    """Start the process and yield what it says, at last how it failed, if it did."""
    context = multiprocessing.get_context("spawn")  # a fork would carry our threads' locks along
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_main, args=(theirs, json.dumps(task)))
    with no_main():
        process.start()
    theirs.close()
    last_reply, patience = (
        time.monotonic(),
        max(limit, LIMIT),
    )  # importing torch is not the env's fault
    try:
        while True:
            alive = process.is_alive()  # asked first: its last message is in the pipe by then
            if not ours.poll(POLL_SECONDS):
                if not alive:
                    yield "process", f"{death(process.exitcode)} before the checks did"
                    return
                if time.monotonic() - last_reply > patience:
                    yield "behaviour", f"no heartbeat for {patience:g} s"
                    return
                continue
            last_reply, patience = time.monotonic(), limit
            try:
                kind, data = json.loads(ours.recv_bytes())
            except (EOFError, OSError, ValueError):
                process.join(timeout=1)
                yield "process", f"{death(process.exitcode)} before the checks did"
                return
            if kind == "end":
                return
            if kind != "beat":
                yield kind, data
    finally:
        end(process)
        ours.close()


# --- inside the process ------------------------------------------------------------------------


def _main(pipe: Connection, text: str) -> None:
    confine()
    maker = multiprocessing.parent_process()
    if maker is None or os.getppid() != maker.pid:
        os._exit(1)  # it ended before it could take us with it
    with suppress(OSError):
        os.dup2(2, 1)  # what the env prints must not mix with our JSON

    def send(kind: str, data: Any = None) -> None:
        pipe.send_bytes(json.dumps([kind, data]).encode())

    task: Task = tuple(json.loads(text))
    try:
        _do(task, send)
    except BaseException as error:  # noqa: BLE001  (third-party code, SystemExit too)
        send("behaviour", one_line(f"{type(error).__name__}: {error}"))
    send("end")
    os._exit(0)  # threads that the env has left running are no reason to wait


def _do(task: Task, send: Callable[..., None]) -> None:
    from sandbox.catalogue import catalogue, plug_module  # noqa: PLC0415
    from sandbox.checkup import check_env  # noqa: PLC0415  (Gymnasium)

    what, env_id, kwargs, plugins = task
    for module in plugins:
        plug_module(catalogue(), module)
    if what == "spaces":
        send("beat")
        send("spaces", check_env.spaces(env_id, kwargs))
        return
    import stable_baselines3  # noqa: F401, PLC0415  (seconds that are not the env's)

    send("beat")
    for each in check_env.checks(env_id, kwargs, _beats(send)):
        send("finding", asdict(each))


def _beats(send: Callable[..., None]) -> Callable[[], None]:
    """At most one a second goes over the pipe."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last > BEAT_SECONDS:
            last = time.monotonic()
            send("beat")

    return beat
