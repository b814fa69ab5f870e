"""Reading a run folder. It needs neither torch nor the code of the world or the agent."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.errors import InputError, IntegrityError, Problem
from sandbox.record import events
from sandbox.record.registration import Registered, Registration
from sandbox.record.run_chain import MANIFEST, REGISTRATION, entries
from sandbox.words import condition_name


@dataclass(frozen=True)
class TrialRecord:
    """One trial as its files record it."""

    folder: Path
    id: str
    spec: dict[str, Any]
    status: dict[str, Any]  # {} where it never started

    @property
    def done(self) -> bool:
        """Complete, with all its events."""
        return self.status.get("state") == "done"

    @property
    def condition_name(self) -> str:
        """See ``condition_name``."""
        return condition_name(self.spec["condition"])

    @cached_property
    def events(self) -> list[events.Event]:
        """All whole lines of ``events.jsonl``. Raises ``IntegrityError`` naming the line."""
        path = self.folder / "events.jsonl"
        if not path.exists():
            return []
        data = path.read_bytes()
        account = self.status.get("events_sha256")
        if self.done and account not in {None, hashlib.sha256(data).hexdigest()}:
            raise IntegrityError(f"{path}: error: not the file that status.json holds the hash of")
        whole = data.decode(errors="replace").split("\n")[:-1]  # a last line cut short is left out
        return [_event(line, path, number) for number, line in enumerate(whole, start=1)]


@dataclass(frozen=True)
class RunRecord:
    """A run folder, read."""

    folder: Path
    registration: Registration
    log: tuple[dict[str, Any], ...]  # entries of the manifest
    trials: tuple[TrialRecord, ...]

    @property
    def scenario(self) -> dict[str, Any]:
        """The resolved scenario in force, as the registration holds it."""
        return dict(self.registration.last.scenario)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """With what program and machine the last command ran; ``{}`` before the first."""
        commands = [each for each in self.log if each.get("kind") == "command"]
        chained = {"kind", "entry", "previous", "hash"}
        return {k: v for k, v in commands[-1].items() if k not in chained} if commands else {}

    @cached_property
    def begun(self) -> frozenset[str]:
        """Trials that have begun, as the manifest or their folders show."""
        known = (each["trial"] for each in self.log if each.get("kind") in {"began", "trial"})
        return frozenset((*known, *(each.id for each in self.trials)))

    @cached_property
    def ends(self) -> dict[str, list[dict[str, Any]]]:
        """Trial -> its ends as the manifest records them, in order."""
        found: dict[str, list[dict[str, Any]]] = {}
        for each in self.log:
            if each.get("kind") == "trial":
                found.setdefault(each["trial"], []).append(each)
        return found


def read_run(folder: str | Path) -> RunRecord:
    """Read a run. Raises ``InputError`` where there is none, ``IntegrityError`` if damaged."""
    folder = Path(folder)
    if not (folder / REGISTRATION).is_file():
        raise InputError(Problem(str(folder), _no_run(folder)))
    lines = entries(folder / REGISTRATION)
    if not lines:
        raise InputError(Problem(str(folder), f"no run here: its {REGISTRATION} has no entry"))
    try:
        registration = Registration(tuple(map(Registered.of, lines)))
    except (KeyError, TypeError) as error:
        what = f"{folder / REGISTRATION}: error: an entry lacks {error}"
        raise IntegrityError(what) from None
    found = registration.last.scenario.get("format")
    if found != events.SCHEMA:
        raise InputError(Problem(str(folder), _other_format(found)))
    trials = [_trial(each) for each in _trials(folder) if (each / "spec.json").is_file()]
    trials.sort(
        key=lambda trial: (trial.spec["env"]["id"], trial.condition_name, trial.spec["seed"])
    )
    return RunRecord(folder, registration, tuple(_log(folder / MANIFEST)), tuple(trials))


LINES = {
    "command": {"registration"},
    "began": {"trial", "registration"},
    "trial": {
        *("trial", "registration", "state", "ledger_head", "events_sha256"),
        *("spec_sha256", "status_sha256"),
    },
}
"""Kind of a line of the manifest -> what it must have."""


def _log(path: Path) -> list[dict[str, Any]]:
    found = entries(path)
    for number, each in enumerate(found, start=1):
        lacking = LINES.get(str(each.get("kind")), {"kind"}) - each.keys()
        if lacking:
            what = ", ".join(sorted(lacking))
            raise IntegrityError(f"{path}:{number}: error: the line lacks {what}")
    return found


def is_run(folder: Path) -> bool:
    """Does a run lie here, of this format or an older one?

    A registration that was cut short before its first whole line, with no trial beside it, is none.
    """
    if (folder / REGISTRATION).is_file():
        return bool(entries(folder / REGISTRATION) or _trials(folder))
    return (folder / "resolved.json").exists()


def _trials(folder: Path) -> list[Path]:
    return sorted((folder / "trials").iterdir()) if (folder / "trials").is_dir() else []


def _no_run(folder: Path) -> str:
    """Why nothing can be read: no run, or one of a format without registration."""
    if not (folder / "resolved.json").is_file():
        return f"no run here: it has no {REGISTRATION}"
    resolved = _json(folder / "resolved.json")
    found = resolved.get("format", 1)  # the first format called it "schema"
    if found == events.SCHEMA:
        return f"its {REGISTRATION} is missing: nothing shows what was registered"
    return _other_format(found)


def _other_format(found: Any) -> str:
    what = f"is a run of format {found}, this version reads {events.SCHEMA}"
    return f"{what}; run its scenario again into another --out"


def chosen(run: RunRecord, trial: str | None) -> list[TrialRecord]:
    """The finished trials of a run, or the one whose id begins like this."""
    found = named(run, trial)
    done = [each for each in found if each.done]
    if not done:
        what = "no trial of this run" if trial is None else f"trial {found[0].id} of this run"
        raise InputError(Problem(str(run.folder), f"{what} was finished"))
    return done


def named(run: RunRecord, trial: str | None) -> list[TrialRecord]:
    """All trials of a run, or the one whose id begins like this. Raises ``InputError``."""
    found = [each for each in run.trials if trial is None or each.id.startswith(trial)]
    if not found or (trial is not None and len(found) > 1):
        what = "names several trials" if found else "names no trial"
        what = "the run has no trial yet" if trial is None else f"'{trial}' {what} of this run"
        raise InputError(Problem(str(run.folder), what))
    return found


def read_status(folder: Path) -> dict[str, Any]:
    """Return a trial's ``status.json``, or ``{}`` before it has ended."""
    path = folder / "status.json"
    return _json(path) if path.is_file() else {}


def _trial(folder: Path) -> TrialRecord:
    path = folder / "spec.json"
    spec = _json(path)
    condition, env, seed = spec.get("condition"), spec.get("env"), spec.get("seed")
    doses = condition.values() if isinstance(condition, dict) else [None]
    known = isinstance(seed, int) and isinstance(env, dict) and isinstance(env.get("id"), str)
    if not known or not all(isinstance(dose, int | float | str) for dose in doses):
        raise IntegrityError(f"{path}: error: not the spec of a trial")
    return TrialRecord(folder, folder.name, spec, read_status(folder))


def _event(line: str, path: Path, number: int) -> events.Event:
    try:
        return events.from_line(line)
    except IntegrityError as error:
        raise IntegrityError(f"{path}:{number}: error: {error}") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IntegrityError(f"{path}: error: cannot be read as JSON: {error}") from None
    if not isinstance(data, dict):
        raise IntegrityError(f"{path}: error: expected a JSON object")
    return data
