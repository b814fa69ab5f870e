"""Finds any change in what a run has recorded: specs, ledgers, events and weights."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import IntegrityError
from sandbox.record import ledger
from sandbox.record.store import TrialRecord, read_run
from sandbox.scenario.trials import trial_id

DERIVED = ("results.jsonl", "report.html", "tensorboard/")
"""What is made from the trials and can be made again: held against nothing."""


@dataclass(frozen=True)
class VerifyReport:
    """What was checked and found whole."""

    trials: int  # complete ones
    unfinished: tuple[str, ...]  # trials without a final account: nothing to hold them against
    entries: int  # ledger entries
    files: int
    head: str  # one hash over the ledger heads of all complete trials: keep it outside the folder


def verify(folder: str | Path, head: str | None = None) -> VerifyReport:
    """Check a whole run folder. Raises ``IntegrityError`` naming file and line of every change.

    ``head``: a hash that an earlier ``verify`` printed, kept outside the folder; only this finds
    a run whose ledgers *and* accounts were all rewritten.
    """
    run = read_run(folder)
    problems: list[str] = []
    entries = files = 0
    complete = [trial for trial in run.trials if trial.done]
    for trial in complete:
        entries += _check_ledger(trial, problems)
        files += _check_files(trial, problems)
    found = _head(complete)
    if head is not None and head != found:
        problems.append(f"{run.folder}: error: head is {found}, not {head}")
    if problems:
        raise IntegrityError("\n".join(problems))
    unfinished = tuple(trial.id for trial in run.trials if not trial.done)
    return VerifyReport(len(complete), unfinished, entries, files + len(complete), found)


def _head(trials: list[TrialRecord]) -> str:
    lines = sorted(f"{trial.id} {trial.status.get('ledger_head')}" for trial in trials)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _check_ledger(trial: TrialRecord, problems: list[str]) -> int:
    path = trial.folder / "ledger.jsonl"
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            entries, head = ledger.check(lines, trial.id, str(path))
    except IntegrityError as error:
        problems.append(str(error))
        return 0
    except (OSError, UnicodeDecodeError) as error:
        line = 1 + _bad_line(path) if path.is_file() else 1
        problems.append(f"{path}:{line}: error: cannot be read: {error}")
        return 0
    if head != trial.status.get("ledger_head"):
        problems.append(
            f"{path}:{len(entries)}: error: ledger ends at line {len(entries)}, but status.json"
            " holds another head: its tail was cut or it was rewritten"
        )
    return len(entries)


def _bad_line(path: Path) -> int:
    """Lines before the first one that is no UTF-8."""
    for number, line in enumerate(path.read_bytes().splitlines()):
        try:
            line.decode()
        except UnicodeDecodeError:
            return number
    return 0


def _check_files(trial: TrialRecord, problems: list[str]) -> int:
    if trial_id(trial.spec) != trial.id:  # else condition or seed could be swapped between trials
        problems.append(f"{trial.folder / 'spec.json'}: error: not the spec that the folder names")
    accounts = {"events.jsonl": trial.status.get("events_sha256")}
    accounts |= trial.status.get("weights_sha256", {})
    for name, account in accounts.items():
        path = trial.folder / name
        if not path.is_file():
            problems.append(f"{path}: error: missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != account:
            problems.append(f"{path}: error: not the file that status.json holds the hash of")
    return 1 + len(accounts)
