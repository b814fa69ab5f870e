"""The folder of findings: one file a scenario, which remembers what an earlier one said."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.errors import InputError, Problem
from sandbox.findings.finding import FORMAT, Finding
from sandbox.record.files import Disk
from sandbox.record.run_folder import to_json
from sandbox.scenario.form import NAME

CHECKSUM = "sha256"
KEYS = frozenset({"format", "scenario", "registration", "claims", "before", CHECKSUM})

RESTORE = (
    "restore it from git; or delete it, with the earlier verdicts in it, and `sandbox findings RUN`"
    " writes it anew"
)


def put(*found: Finding, folder: Path) -> list[Path]:
    """Write findings, all or none where one is refused.

    What another registration had found, where its file lies there, is kept as ``before``.
    """
    ready = {_place(each, folder): each for each in found}
    for path, each in ready.items():
        old = read(path) if path.exists() else None
        ready[path] = {**each, "before": before(each, old)}
    disk = Disk()
    disk.folder(folder)
    for path, whole in ready.items():
        disk.write(path, to_json({**whole, CHECKSUM: checksum(whole)}))
    return [*ready]


def _place(found: Finding, folder: Path) -> Path:
    if not re.fullmatch(NAME.strip("^$"), str(found["scenario"])):
        raise InputError(f"no file can be called {found['scenario']!r}; it must match {NAME}")
    return folder / f"{found['scenario']}.json"


def checksum(whole: Finding) -> str:
    """SHA-256 of all but itself: what was edited by hand is no finding any more."""
    return hashlib.sha256(to_json({k: x for k, x in whole.items() if k != CHECKSUM})).hexdigest()


def before(found: Finding, old: Finding | None) -> list[dict[str, Any]]:
    """What earlier registrations had found, the last one first."""
    if old is None:
        return []
    if old["registration"] == found["registration"]:
        return list(old["before"])
    return [_summary(old), *old["before"]]


def _summary(old: Finding) -> dict[str, Any]:
    keys = ("claim", "role", "verdict", "estimate", "low", "high", "most", "confidence", "n")
    claims = [{key: each.get(key) for key in keys} for each in old["claims"]]
    kept = ("registration", "registered", "commit", "command")
    return {**{key: old.get(key) for key in kept}, "claims": claims}


def read(path: Path) -> Finding:
    """Read a finding. Raises ``InputError`` where the file is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except (OSError, RecursionError, ValueError) as error:
        what = f"cannot be read as a finding: {error}; {RESTORE}"
        raise InputError(Problem(str(path), what)) from None
    lacking = KEYS - data.keys() if isinstance(data, dict) else KEYS
    if lacking:
        what = f"is no finding: it lacks {', '.join(sorted(lacking))}; {RESTORE}"
        raise InputError(Problem(str(path), what))
    if data["format"] != FORMAT:
        what = f"is a finding of format {data['format']}, this version reads {FORMAT}"
        raise InputError(Problem(str(path), what))
    if data[CHECKSUM] != checksum(data):
        what = f"was changed after it was written; {RESTORE}"
        raise InputError(Problem(str(path), what))
    if data["scenario"] != path.stem:
        raise InputError(Problem(str(path), f"is the finding of {data['scenario']!r}"))
    return dict(data)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def read_all(folder: Path) -> Mapping[str, Finding]:
    """Scenario -> its finding."""
    return {path.stem: read(path) for path in sorted(folder.glob("*.json"))}
