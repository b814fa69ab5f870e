"""Is a run what its own chains say it is? Quick: no events, ledgers or weights are read."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from sandbox.record.run_chain import MANIFEST, REGISTRATION
from sandbox.record.run_folder import to_json
from sandbox.record.store import RunRecord, TrialRecord


def changed(run: RunRecord) -> list[str]:
    """Every file that is not what the chains of the run hold, as errors with its path."""
    whole = [*_of_registration(run), *_of_scenario(run)]
    return [*whole, *(text for each in run.trials for text in _of_trial(run, each))]


def gone(run: RunRecord) -> list[str]:
    """Trials that had ended and whose folder is missing: they were deleted."""
    there = {each.id for each in run.trials}
    return [trial for trial in run.ends if trial not in there]


def ended_before(run: RunRecord) -> list[str]:
    """Trials that had ended and have no end now: begun again, cut short as they ended, or emptied.

    They run again, and ``run_twice`` compares.
    """
    return [each.id for each in run.trials if each.id in run.ends and not each.status]


def run_twice(run: RunRecord) -> dict[str, bool]:
    """Trials that ended more than once -> did every complete run of it give the same bytes?

    One that was complete and is not any more did not.
    """
    found = {}
    for trial, ends in run.ends.items():
        if len(ends) > 1:
            done = [each for each in ends if each["state"] == "done"]
            alike = len({(e["ledger_head"], e["events_sha256"]) for e in done}) < 2  # noqa: PLR2004
            found[trial] = alike and (not done or ends[-1]["state"] == "done")
    return found


def changed_while_run(run: RunRecord) -> dict[str, list[str]]:
    """Trials -> sources that were not the registered ones when they began or ended."""
    found = {trial: ends[-1].get("changed_code", []) for trial, ends in run.ends.items()}
    return {trial: names for trial, names in found.items() if names}


def _of_scenario(run: RunRecord) -> Iterator[str]:
    entries = run.registration.entries
    resolved = {_sha(to_json(each.scenario)) for each in entries}
    for name, known in (
        ("scenario.yaml", {_sha(each.yaml.encode()) for each in entries}),
        ("resolved.json", resolved),
    ):
        path = run.folder / name
        if path.is_file() and _sha(path.read_bytes()) not in known:
            yield f"{path}: error: not what {REGISTRATION} holds; it was changed afterwards"


def _of_registration(run: RunRecord) -> Iterator[str]:
    """Registration and manifest name each other's ends: what came first must agree."""
    path, entries = run.folder / REGISTRATION, run.registration.entries
    numbers = {each.hash: each.number for each in entries}
    named = [each["registration"] for each in run.log]
    places = [numbers.get(each, 0) if isinstance(each, str) else each for each in named]
    if any(not 0 < each <= len(entries) for each in places):
        yield f"{path}: error: an entry that {MANIFEST} names is missing: its end was cut"
    for entry in entries:
        k = entry.manifest_entries
        there = run.log[k - 1]["hash"] if 0 < k <= len(run.log) else None
        if k and there != entry.manifest_head:
            yield f"{run.folder / MANIFEST}: error: not the one that entry {entry.number} saw"
        elif any(each >= entry.number for each in places[:k]) or any(
            each < entry.number for each in places[k:]
        ):
            yield (
                f"{path}:{entry.number}: error: {MANIFEST} says that this entry was not written"
                " when it says so itself"
            )


def _of_trial(run: RunRecord, trial: TrialRecord) -> Iterator[str]:
    ends = run.ends.get(trial.id, [])
    status = trial.folder / "status.json"
    if trial.status and not ends:
        yield f"{status}: error: {MANIFEST} does not record that this trial ended"
    elif trial.status:
        yield from _differs(status, ends[-1]["status_sha256"])
        yield from _differs(trial.folder / "spec.json", ends[-1]["spec_sha256"])


def _differs(path: Path, known: str) -> Iterator[str]:
    if _sha(path.read_bytes()) != known:
        yield f"{path}: error: not the file that {MANIFEST} holds the hash of"


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
