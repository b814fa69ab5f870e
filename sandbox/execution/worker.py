"""The process in which one trial runs: fresh, limited, and without access to the files of the run.

It speaks to the runner over one pipe, in JSON and raw bytes, never in pickles. Of what the trial's
code prints, ``LOG_LIMIT`` bytes are kept and the rest is counted.
"""

import contextlib
import json
import os
import resource
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from sandbox.errors import one_line
from sandbox.execution.processes import confine
from sandbox.record.events import Event, to_line
from sandbox.record.ledger import Receipt
from sandbox.trial import loop

LOG_LIMIT = 64 * 1024
BEAT_SECONDS = 1.0
DRAIN_SECONDS = 1.0


@dataclass
class PipeRecorder:
    """Sends everything to the runner; waits only for what must be on the disk."""

    pipe: Connection
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _beaten: float = 0.0

    def event(self, event: Event) -> None:
        """See ``live_trial.TrialRecorder``."""
        self.send("event", {"line": to_line(event)})

    def ledger(self, body: Mapping[str, Any]) -> Receipt:
        """See ``live_trial.TrialRecorder``."""
        self.send("ledger", body)
        return Receipt(**json.loads(self.pipe.recv_bytes()))

    def weights(self, update: int, agent: str, state: Mapping[str, Any], tensors: bytes) -> str:
        """See ``live_trial.TrialRecorder``."""
        self.send("weights", {"update": update, "agent": agent, "state": state}, tensors)
        return str(json.loads(self.pipe.recv_bytes())["sha256"])

    def beat(self) -> None:
        """See ``live_trial.TrialRecorder``; at most once a second goes over the pipe."""
        now = time.monotonic()
        if now - self._beaten > BEAT_SECONDS:
            self._beaten = now
            self.send("beat", {})

    def send(self, kind: str, data: Mapping[str, Any], attachment: bytes | None = None) -> None:
        """One message: a JSON frame, and a frame of bytes where there is an attachment."""
        text = json.dumps([kind, data], allow_nan=False)
        with self._lock:
            self.pipe.send_bytes(text.encode())
            if attachment is not None:
                self.pipe.send_bytes(attachment)


def main(
    pipe: Connection,
    trial_id: str,
    spec: str,
    limits: str,
    plugins: tuple[str, ...],
    *,
    anchors: str,
) -> None:
    """Run one trial and say how it ended. Started by an executor in a process of its own.

    ``spec``, ``limits`` and ``anchors`` (of another trial in the same env) are JSON.
    """
    _confine(json.loads(limits))
    trial_recorder = PipeRecorder(pipe)
    log = _capture(trial_recorder)
    trial_recorder.beat()  # waiting for the fork server's own start is no hang of the trial
    try:
        _one_thread()
        _plug(plugins)
        loop.run_trial(json.loads(spec), trial_id, trial_recorder, json.loads(anchors))
        end = {"state": "done", "reason": ""}
    except BaseException as error:  # noqa: BLE001  (SystemExit too: exit 0 is no success here)
        with contextlib.suppress(Exception):  # the trial may have closed its own stderr
            traceback.print_exc()
        end = {"state": "failed", "reason": one_line(loop.failure(error))}
    log.close()
    trial_recorder.send("end", end)
    pipe.close()


def _confine(limits: Mapping[str, Any]) -> None:
    confine()
    size = int(limits["memory_mb"]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _one_thread() -> None:
    """Faster with trials side by side, and the same sums whatever else the machine does."""
    import torch  # noqa: PLC0415  (the fork server has imported it already)

    torch.set_num_threads(1)


def _plug(modules: tuple[str, ...]) -> None:
    from sandbox.catalogue import catalogue, plug_module  # noqa: PLC0415

    for module in modules:
        plug_module(catalogue(), module)


class _Capture(threading.Thread):
    """Sends the first ``LOG_LIMIT`` bytes of stdout and stderr to the runner, drains the rest."""

    def __init__(self, trial_recorder: PipeRecorder, source: int) -> None:
        super().__init__(daemon=True)
        self.trial_recorder, self.source, self.seen = trial_recorder, source, 0

    def run(self) -> None:
        while chunk := os.read(self.source, 65536):
            left = max(LOG_LIMIT - self.seen, 0)
            self.seen += len(chunk)
            if left:
                self.trial_recorder.send("log", {"text": chunk[:left].decode(errors="replace")})

    def close(self) -> None:
        """Flush, let go of the pipe, and wait until all of it was read."""
        for each in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):  # None, full or closed
                each.flush()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        self.join(timeout=DRAIN_SECONDS)  # a child that keeps running holds the pipe open
        if self.seen > LOG_LIMIT:
            self.trial_recorder.send(
                "log", {"text": f"\n[{self.seen - LOG_LIMIT} more bytes not kept]\n"}
            )


def _capture(trial_recorder: PipeRecorder) -> _Capture:
    source, sink = os.pipe()
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.close(sink)
    capture = _Capture(trial_recorder, source)
    capture.start()
    return capture
