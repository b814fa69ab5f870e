"""Live progress of a run: a bar on a terminal, a plain line every few seconds elsewhere."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

QUIET = 5.0
"""Seconds between two plain lines."""


@dataclass(frozen=True)
class Tick:
    """How far a run is. Steps count environment steps of the trials that this command runs.

    A trial may end by FLOPs long before its steps are taken, so ``share`` is the share of all work.
    """

    total: int  # trials, those finished by earlier commands included
    done: int
    failed: int
    running: int
    steps: int
    planned_steps: int
    seconds: float  # since this command began to execute
    share: float | None = None  # of the trials of this command, by what ends them; None: by steps

    @property
    def over(self) -> float:
        """Share of the work that is over, 0 to 1."""
        if self.share is not None:
            return self.share
        return min(self.steps / self.planned_steps, 1.0) if self.planned_steps else 0.0

    @property
    def rate(self) -> float:
        """Environment steps a second, over the whole command."""
        return self.steps / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds to go as fast as so far; ``None`` before the first step."""
        return self.seconds * (1 - self.over) / self.over if self.over and self.rate else None

    def __str__(self) -> str:
        counts = f"{self.done}/{self.total} done, {self.running} running, {self.failed} failed"
        return f"{counts} | {self.rate:,.0f} steps/s | {remaining(self.left)}"


Progress = Callable[[Tick], None]
"""Called about four times a second by an executor."""


def remaining(seconds: float | None) -> str:
    """Seconds as ``1:02:03 left``; ``-:-- left`` where nothing is known."""
    if seconds is None:
        return "-:-- left"
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    clock = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{clock}:{whole % 60:02} left"


class Display:
    """What ``progress`` yields: ``tick`` for the executor, ``announce`` for what happens."""

    def tick(self, tick: Tick) -> None:
        """Show how far the run is."""
        raise NotImplementedError

    def announce(self, text: str) -> None:
        """Say something that must stay readable, a failed trial above all."""
        raise NotImplementedError


@contextmanager
def progress(stream: TextIO | None = None) -> Iterator[Display]:
    """Show progress on ``stream`` (default stderr) as suits it."""
    stream = stream or sys.stderr
    if not stream.isatty() or os.environ.get("CI") or os.environ.get("TERM") == "dumb":
        yield PlainDisplay(stream)
        return
    from rich.console import Console  # noqa: PLC0415  (a light command never needs it)

    display = LiveDisplay(Console(file=stream))
    with display.bar:
        yield display


@dataclass
class PlainDisplay(Display):
    """One line every ``QUIET`` seconds, and whenever a trial ends or fails."""

    stream: TextIO
    clock: Callable[[], float] = time.monotonic
    _last: float = field(default=float("-inf"))
    _ended: int = field(default=-1)

    def tick(self, tick: Tick) -> None:
        """Print the tick if the last line is old, or if this is the end."""
        now, ended = self.clock(), tick.done + tick.failed
        finished = ended == tick.total
        if now - self._last < QUIET and not (finished and ended != self._ended):
            return
        self._last, self._ended = now, ended
        self.announce(str(tick))

    def announce(self, text: str) -> None:
        """Print a line at once. The stream may be closed; the run goes on."""
        with suppress(OSError, ValueError):
            print(text, file=self.stream, flush=True)


class LiveDisplay(Display):
    """A bar over the work, with trials done, running and failed beside it."""

    def __init__(self, console: "Console") -> None:
        self.bar = _bar(console)
        self._task = self.bar.add_task("trials", total=None, status="starting")

    def tick(self, tick: Tick) -> None:
        """Move the bar."""
        self.bar.update(
            self._task,
            total=max(1, tick.planned_steps),
            completed=tick.over * max(1, tick.planned_steps),
            status=str(tick),
        )

    def announce(self, text: str) -> None:
        """Print a line above the bar."""
        self.bar.console.print(text, style="bold red", markup=False, highlight=False)


def _bar(console: "Console") -> "Bar":
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn  # noqa: PLC0415

    return Progress(
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.fields[status]}", markup=False),
        console=console,
        refresh_per_second=4,
        transient=True,
    )
