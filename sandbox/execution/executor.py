"""Trials side by side on this machine: a fresh process each, forked from a server that has torch.

The runner, and it alone, writes the run folder. A trial that crashes, hangs, is killed or exceeds a
limit becomes a failed row with its reason; the others go on.
"""

import contextlib
import json
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from sandbox.catalogue import has_plug_ins
from sandbox.errors import IntegrityError
from sandbox.execution import fork_server, worker
from sandbox.execution.processes import death, end, no_main, one_thread
from sandbox.execution.progress import Progress, Tick
from sandbox.gate.budget import progress
from sandbox.record import events
from sandbox.record.ledger import canonical
from sandbox.record.run_folder import RunFolder, TrialFolder
from sandbox.words import condition_name

POLL_SECONDS = 0.25
MESSAGES_A_TURN = 64
"""A trial that sends without end must not delay the other trials and the checks of limits."""


class Watcher(Protocol):
    """Receives every event of a trial as it comes in (TensorBoard)."""

    def add(self, event: events.Event) -> None:
        """Receive one event."""

    def close(self) -> None:
        """The trial has ended."""


@dataclass(frozen=True)
class Job:
    """One trial to run."""

    id: str
    spec: Mapping[str, Any]
    steps: int  # planned

    def name(self) -> str:
        """Id, condition, env and seed, for people."""
        condition = condition_name(self.spec["condition"])
        env = self.spec["env"].get("name") or self.spec["env"]["id"]
        return f"{self.id} ({condition}, {env}, seed {self.spec['seed']})"


@dataclass(frozen=True)
class Limits:
    """What one trial may use."""

    timeout_s: float = 3600.0
    stall_s: float = 60.0  # without a heartbeat
    memory_mb: int = 4096


@dataclass
class _Running:
    job: Job
    process: BaseProcess
    pipe: Connection
    folder: TrialFolder
    watcher: Watcher
    close: contextlib.ExitStack
    started: str
    since: float  # monotonic
    last_message: float
    steps: int = 0
    flops: dict[str, float] = field(default_factory=dict)  # by agent
    share: float = 0.0  # of the trial that is over
    log: list[str] = field(default_factory=list)
    end: dict[str, Any] | None = None


@dataclass
class LocalExecutor:
    """Runs jobs in ``workers`` processes; ``announce`` is called at every failure."""

    run: RunFolder
    workers: int
    limits: Limits
    plugins: tuple[str, ...]
    watch: Callable[[Job], Watcher]
    progress: Progress = lambda _: None
    announce: Callable[[str], None] = print
    _anchors: dict[str, str] = field(default_factory=dict)  # env -> its anchors, as JSON

    def execute(self, jobs: Sequence[Job], done_before: int) -> int:
        """Run all jobs; returns how many failed. On interruption every process is ended first."""
        context = fork_server.start()
        waiting, running = list(jobs), list[_Running]()
        self._total, self._done, self._failed = len(jobs) + done_before, done_before, 0
        self._planned, self._taken = sum(job.steps for job in jobs), 0
        self._work, self._over_work = float(self._planned), 0.0
        self._since = time.monotonic()
        try:
            while waiting or running:
                while waiting and len(running) < self.workers:
                    running.append(self._start(context, waiting.pop(0)))
                self._listen(running)
                for each in [each for each in running if self._over(each)]:
                    running.remove(each)
                    self._settle(each)
                self.progress(self._tick(running))
        finally:
            for each in running:
                end(each.process)
                each.close.close()
        return self._failed

    def _start(self, context: Any, job: Job) -> _Running:
        ours, theirs = context.Pipe()
        given = (json.dumps(job.spec), json.dumps(vars(self.limits)), self.plugins)
        known = {"anchors": self._anchors.get(canonical(job.spec["env"]), "null")}
        arguments = (theirs, job.id, *given)
        process = context.Process(target=worker.main, args=arguments, kwargs=known)
        close = contextlib.ExitStack()
        folder = close.enter_context(self.run.trial(job.id, job.spec))
        with no_main(), one_thread():
            process.start()
        theirs.close()
        now = time.monotonic()
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        return _Running(job, process, ours, folder, self.watch(job), close, stamp, now, now)

    def _listen(self, running: Sequence[_Running]) -> None:
        pipes = {each.pipe: each for each in running}
        for ready in wait(list(pipes), timeout=POLL_SECONDS):
            each = pipes[ready]  # type: ignore[index]
            each.last_message = time.monotonic()
            for _ in range(MESSAGES_A_TURN):
                if each.end is None and _readable(each.pipe):
                    self._receive(each)

    def _receive(self, each: _Running) -> None:
        """Read and keep one message; a process that dies in the middle of one is just dead."""
        try:
            kind, message = json.loads(each.pipe.recv_bytes())
            event = events.from_line(message["line"]) if kind == "event" else None
            tensors = each.pipe.recv_bytes() if kind == "weights" else b""
        except (EOFError, OSError):
            each.end = {}
            return
        except (ValueError, TypeError, KeyError, IntegrityError) as error:
            each.end = _failed(f"its process sent the runner what no trial sends ({error})")
            return
        if event is not None:
            each.folder.event(message["line"])
            each.watcher.add(event)
            self._learn(each, event)
        elif kind == "ledger":
            _answer(each.pipe, each.folder.ledger(message)._asdict())
        elif kind == "weights":
            _answer(each.pipe, {"sha256": each.folder.weights(**message, tensors=tensors)})
        elif kind == "log":
            each.log.append(message["text"])
        elif kind == "end":
            each.end = message

    def _learn(self, each: _Running, event: events.Event) -> None:
        """What the runner itself needs of an event: how far the trial is, and anchors for others.

        With a plug-in every trial finds its own anchors: no foreign code may set those of others.
        """
        if isinstance(event, events.Updated):
            self._advance(each, event)
        elif isinstance(event, events.TrialStarted) and not (self.plugins or has_plug_ins()):
            self._anchors[canonical(each.job.spec["env"])] = json.dumps(event.anchors)

    def _advance(self, each: _Running, event: events.Updated) -> None:
        self._taken += event.steps - each.steps
        each.steps = event.steps
        each.flops[event.agent] = event.flops
        share = progress(each.job.spec, event.steps, sum(each.flops.values()))
        self._over_work += (share - each.share) * each.job.steps
        each.share = share

    def _over(self, each: _Running) -> bool:
        now = time.monotonic()
        if each.end is None and now - each.since > self.limits.timeout_s:
            each.end = _failed(
                f"not finished within {self.limits.timeout_s:g} s (limits.timeout_s)"
            )
        elif each.end is None and now - each.last_message > self.limits.stall_s:
            each.end = _failed(f"no heartbeat for {self.limits.stall_s:g} s (limits.stall_s)")
        return each.end is not None

    def _settle(self, each: _Running) -> None:
        if each.end == {}:
            each.process.join(timeout=5)
            each.end = _failed(_death(each.process.exitcode))
        end(each.process)
        seconds = time.monotonic() - each.since
        status = {
            **(each.end or {}),
            "started": each.started,
            "seconds": round(seconds, 3),
            "steps": each.steps,
            "steps_per_second": round(each.steps / seconds, 1),
        }
        each.watcher.close()
        each.folder.finish(status, "".join(each.log))
        each.close.close()
        each.pipe.close()
        if status["state"] == "done":
            self._done += 1
            self._over_work += (1 - each.share) * each.job.steps
        else:
            self._work -= (1 - each.share) * each.job.steps
            self._failed += 1
            self._planned -= each.job.steps - each.steps
            self.announce(f"trial {each.job.name()} failed: {status['reason']}")

    def _tick(self, running: Sequence[_Running]) -> Tick:
        return Tick(
            total=self._total,
            done=self._done,
            failed=self._failed,
            running=len(running),
            steps=self._taken,
            planned_steps=self._planned,
            seconds=time.monotonic() - self._since,
            share=min(self._over_work / self._work, 1.0) if self._work > 0 else None,
        )


def _failed(reason: str) -> dict[str, Any]:
    return {"state": "failed", "reason": reason}


def _readable(pipe: Connection) -> bool:
    try:
        return pipe.poll()
    except OSError:
        return True  # reading will say what is wrong


def _answer(pipe: Connection, data: Mapping[str, Any]) -> None:
    """Answer the trial's message; if its process has ended, the next read shows that."""
    with contextlib.suppress(OSError):
        pipe.send_bytes(json.dumps(data).encode())


def _death(code: int | None) -> str:
    if code is None:
        return "its process closed its line to the runner"
    if code < 0:
        hint = " (perhaps out of memory: fewer --workers)" if -code == signal.SIGKILL else ""
        return f"its process was {death(code)}{hint}"
    return f"its process {death(code)} before the trial did"


def limits_of(settings: Mapping[str, Any]) -> Limits:
    """Read a scenario's ``limits``."""
    return Limits(**settings)
