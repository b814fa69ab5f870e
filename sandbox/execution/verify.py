"""Finds any change in what a run has recorded: registration, manifest, specs, ledgers, weights."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import IntegrityError
from sandbox.execution import arithmetic
from sandbox.record import integrity, ledger
from sandbox.record.store import RunRecord, TrialRecord, read_run
from sandbox.scenario.trials import trial_id
from sandbox.verdicts.provenance import differs_from_registration

DERIVED = ("results.jsonl", "report.html", "tensorboard/")
"""What is made from the trials and can be made again: held against nothing."""


@dataclass(frozen=True)
class VerifyReport:
    """What was checked and found whole."""

    trials: int  # complete ones
    unfinished: tuple[str, ...]  # trials without a final account: nothing to hold them against
    entries: int  # ledger entries
    files: int
    head: str  # hash of the last line of the manifest, on which all others depend
    registration: str  # hash of what was registered before any trial began
    notes: tuple[str, ...] = ()  # what is other than registered, or here; no sign of forgery


def verify(folder: str | Path, head: str | None = None) -> VerifyReport:
    """Check a whole run folder. Raises ``IntegrityError`` naming file and line of every change.

    ``head``: a hash that an earlier command printed (a head, or that of a registration), kept
    outside the folder; only this finds a run of which every chain was rewritten.
    """
    run = read_run(folder)
    problems, entries, files = _checked(run)
    problems += [
        f"{run.folder / 'trials' / trial}: error: this trial had ended and was deleted;"
        " `sandbox run` runs it again and compares"
        for trial in integrity.gone(run)
    ]
    complete = [trial for trial in run.trials if trial.done]
    if head is not None and head not in _heads(run):
        problems.append(f"{run.folder}: error: no line of registration or manifest has hash {head}")
    if problems:
        raise IntegrityError("\n".join(problems))
    unfinished = tuple(trial.id for trial in run.trials if not trial.done)
    return VerifyReport(
        trials=len(complete),
        unfinished=unfinished,
        entries=entries,
        files=files + len(complete),
        head=str(run.log[-1]["hash"]) if run.log else run.registration.last.hash,
        registration=run.registration.before_data.hash,
        notes=(*_older(run, head), *differs_from_registration(run), *arithmetic.notes(run)),
    )


def changed(run: RunRecord) -> list[str]:
    """Every file of a run that is not as it was written."""
    return _checked(run)[0]


def _checked(run: RunRecord) -> tuple[list[str], int, int]:
    """Problems, ledger entries and files."""
    problems = integrity.changed(run)
    entries = files = 0
    for trial in run.trials:
        if trial.status:
            entries += _check_ledger(trial, problems)
            files += _check_files(trial, problems)
    return problems, entries, files


def _heads(run: RunRecord) -> set[str]:
    """Hashes of all lines of the run's own chains: one that was printed before must be there."""
    registered = {each.hash for each in run.registration.entries}
    return registered | {str(each["hash"]) for each in run.log}


def _older(run: RunRecord, head: str | None) -> Iterator[str]:
    """A kept hash of a registration on which the verdicts do not rest."""
    for each in run.registration.entries:
        if each.hash == head and each != run.registration.before_data:
            yield f"{head} is registration {each.number}, which is not the one in force"


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
