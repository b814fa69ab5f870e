"""How far a run is, read from its files; reads events only of the trials that are not over."""

import fcntl
import json
import math
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.contract import named
from sandbox.design import count_conditions
from sandbox.gate.budget import progress
from sandbox.record.store import TrialRecord, read_run

TAIL = 2**16
"""Bytes at the end of an unfinished ``events.jsonl`` that are looked at."""


@dataclass(frozen=True)
class ConditionStatus:
    """One condition."""

    condition: str
    done: int
    running: int  # or interrupted, if the run is not live
    failed: int


@dataclass(frozen=True)
class Failure:
    """One failed trial."""

    trial: str
    condition: str
    seed: int
    reason: str


@dataclass(frozen=True)
class RunStatus:
    """Counts of trials; ``live`` while a process holds the run."""

    name: str
    live: bool
    total: int
    done: int
    running: int
    failed: int
    steps: int  # of trials done and under way
    planned_steps: int
    over: float  # share of the work that is over; trials may end by FLOPs before their steps
    conditions: tuple[ConditionStatus, ...]
    failures: tuple[Failure, ...]

    @property
    def waiting(self) -> int:
        """Trials that have not begun."""
        return self.total - self.done - self.running - self.failed

    def __str__(self) -> str:
        steps = f"{self.steps:,} of {self.planned_steps:,} steps"
        if round(self.over, 2) != round(self.steps / max(self.planned_steps, 1), 2):
            steps += f", {self.over:.0%} of the work"
        counts = self._counts(self.done, self.running, self.failed)
        head = f"{self.name}: {counts}, {self.waiting} waiting, {self.total} in all | {steps}"
        width = max((len(each.condition) for each in self.conditions), default=0)
        rows = [
            f"  {row.condition:{width}}  {self._counts(row.done, row.running, row.failed)}"
            for row in self.conditions
        ]
        failures = [
            f"  failed: trial {each.trial} ({each.condition}, seed {each.seed}): {each.reason}"
            for each in self.failures
        ]
        return "\n".join([head, *rows, *failures])

    def _counts(self, done: int, running: int, failed: int) -> str:
        begun = "running" if self.live else "interrupted"
        others = [(running, begun), (failed, "failed")]
        return ", ".join([f"{done} done", *(f"{n} {word}" for n, word in others if n)])


def status_of(folder: Path) -> RunStatus:
    """Read a run folder. Raises ``InputError`` where there is none."""
    run = read_run(folder)
    scenario = run.scenario
    planned = count_conditions(scenario["levers"], scenario["design"])
    planned *= len(scenario["envs"]) * len(scenario["seeds"])
    states = Counter(map(_state, run.trials))
    total = max(planned, len(run.trials))
    each_steps = [_planned(trial.spec) for trial in run.trials]
    unbegun = (total - len(run.trials)) * named(scenario["agent"]["learner"]).total_steps
    return RunStatus(
        name=scenario["name"],
        live=_held(folder / ".lock"),
        total=total,
        done=states["done"],
        running=states["running"],
        failed=states["failed"],
        steps=sum(map(_steps, run.trials)),
        planned_steps=sum(each_steps) + unbegun,
        over=_over(run.trials, each_steps, unbegun),
        conditions=_rows(run.trials),
        failures=tuple(_failure(each) for each in run.trials if _state(each) == "failed"),
    )


def _rows(trials: tuple[TrialRecord, ...]) -> tuple[ConditionStatus, ...]:
    found: dict[str, Counter[str]] = {}
    for trial in trials:
        found.setdefault(trial.condition_name, Counter())[_state(trial)] += 1
    return tuple(
        ConditionStatus(name, states["done"], states["running"], states["failed"])
        for name, states in sorted(found.items())
    )


def _failure(trial: TrialRecord) -> Failure:
    reason = trial.status.get("reason", "unknown")
    return Failure(trial.id, trial.condition_name, trial.spec["seed"], reason)


def _state(trial: TrialRecord) -> str:
    return str(trial.status.get("state", "running"))


def _planned(spec: dict[str, Any]) -> int:
    return named(spec["learner"]).total_steps


def _over(trials: tuple[TrialRecord, ...], planned: list[int], unbegun: int) -> float:
    """Share of the work, each trial weighed by its planned steps."""
    whole = sum(planned) + unbegun
    weighted = zip(trials, planned, strict=True)
    done = math.fsum(weight * _share(trial) for trial, weight in weighted)
    return done / whole if whole else 0.0


def _share(trial: TrialRecord) -> float:
    if trial.done:
        return 1.0
    lines = _tail(trial)
    spent: dict[str, float] = {}
    for line in lines:
        event = _read(line)
        if isinstance(event.get("flops"), float | int) and "agent" in event:
            spent[str(event["agent"])] = float(event["flops"])
    return progress(trial.spec, _last_steps(lines), sum(spent.values()))


def _steps(trial: TrialRecord) -> int:
    """Environment steps taken, as its status or its last events say."""
    if trial.done:
        return int(trial.status.get("steps", _planned(trial.spec)))
    return _last_steps(_tail(trial))


def _last_steps(lines: list[bytes]) -> int:
    found = (_read(line).get("steps") for line in reversed(lines))
    return next((n for n in found if isinstance(n, int)), 0)


def _tail(trial: TrialRecord) -> list[bytes]:
    """Last lines of a trial's events; the first and the last of them may be torn."""
    try:
        with (trial.folder / "events.jsonl").open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            return file.read().splitlines(keepends=True)
    except OSError:
        return []


def _read(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}  # the torn first or last line
    return found if isinstance(found, dict) else {}


def _held(lock: Path) -> bool:
    """Does a process hold the run? Asking takes the lock for an instant, shared."""
    try:
        handle = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
