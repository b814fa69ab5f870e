"""The tables of ``scenarios/README.md``: from findings, scenario files and earlier findings.

Everything between ``<!-- made: NAME -->`` and ``<!-- end: NAME -->`` is replaced; the prose around
is written by hand and carries no number, so that none can go stale (``numbers_in_prose``).
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.findings.folder import read_all
from sandbox.generated import found_tables, scenario_files

JSON = Mapping[str, Any]
BLOCK = re.compile(r"<!-- made: ([a-z ]+) -->\n(.*?)<!-- end: \1 -->", re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_TARGET = re.compile(r"\]\([^)\n]*\)")
_FENCE = re.compile(r"```.*?```", re.DOTALL)


@dataclass(frozen=True)
class Sources:
    """What the tables are made from."""

    files: Mapping[str, Path]  # scenario -> its file
    findings: Mapping[str, JSON]
    earlier: JSON  # scenario -> what an earlier version found
    groups: Mapping[str, str]  # heading of those that were not registered -> a sentence on them


def sources(folder: Path) -> Sources:
    """Read ``scenarios/``: its files, ``findings/`` and ``earlier.json``."""
    earlier = json.loads((folder / "earlier.json").read_text(encoding="utf-8"))
    files = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    known = [each for each in earlier["scenarios"] if each in files]
    order = dict.fromkeys([*known, *files])
    findings = read_all(folder / "findings")
    alone = [each for each in findings if each not in files]
    if alone:
        raise LookupError(f"scenarios/findings: no scenario is called {', '.join(alone)}")
    return Sources(
        {name: files[name] for name in order},
        findings,
        earlier["scenarios"],
        earlier["groups"],
    )


def completed(page: str, folder: Path) -> str:
    """Return the page with every block made again. Raises ``LookupError`` for an unknown one."""
    given = sources(folder)
    makers: Mapping[str, Callable[[Sources], Iterable[str]]] = {
        "registered": _registered,
        "verdicts before and now": _changes,
        "files": lambda x: scenario_files.table(x.files, x.earlier),
        "registered at an earlier commit": _registered_earlier,
        "not registered": _not_registered,
    }
    names = [name for name, _ in BLOCK.findall(page)]
    if sorted(names) != sorted(makers):
        raise LookupError(
            f"scenarios/README.md must have the blocks {', '.join(makers)}, once each"
        )

    def made(found: re.Match[str]) -> str:
        text = "\n".join(makers[found[1]](given)).strip("\n")
        return f"<!-- made: {found[1]} -->\n\n{text}\n\n<!-- end: {found[1]} -->"

    return BLOCK.sub(made, page)


def numbers_in_prose(page: str) -> list[str]:
    """Lines outside of made blocks that hold a digit; code and targets of links may."""
    prose = _FENCE.sub("", BLOCK.sub("", page))
    prose = _TARGET.sub("]", _CODE.sub("", prose))
    return [line for line in prose.splitlines() if re.search(r"\d", line)]


def _registered(given: Sources) -> Iterable[str]:
    if not given.findings:
        return ["None yet: `sandbox findings RUN` adds one."]
    found = {name: given.findings[name] for name in given.files if name in given.findings}
    return found_tables.registered(found, given.files, given.earlier)


def _changes(given: Sources) -> Iterable[str]:
    return found_tables.changes(given.files, given.findings, given.earlier)


def _registered_earlier(given: Sources) -> Iterable[str]:
    rows = _without_finding(given, registered=True)
    if not rows:
        return ["None: each of them was found again."]
    head = ("scenario", "asked", "found then", "seeds", "commit", "command")
    cells = [
        [link(name), x["asked"], x["found"], x["seeds"], x["commit"], f"`{x['command']}`"]
        for name, x in rows.items()
    ]
    return [*found_tables.table(head, cells), "", *_notes(rows)]


def _not_registered(given: Sources) -> Iterable[str]:
    rows = _without_finding(given, registered=False)
    new = [name for name in given.files if name not in {*given.earlier, *given.findings}]
    if new:
        yield f"Never found by any version: {', '.join(map(link, new))}."
    if not rows and not new:
        yield "None: every scenario has a finding above."
    for heading, words in given.groups.items():
        some = {name: x for name, x in rows.items() if x["group"] == heading}
        if some:
            yield from ("", f"### {heading}", "")
            yield from ([words, ""] if words else [])
            yield from _group(some)


def _group(rows: Mapping[str, JSON]) -> Iterable[str]:
    head = ["scenario", "asked", "published, exact or expected", "found then", "command"]
    cells = [
        [link(name), x["asked"], x["expected"] or "—", x["found"], f"`{x['command']}`"]
        for name, x in rows.items()
    ]
    return [*found_tables.table(head, cells), "", *_notes(rows)]


def _notes(rows: Mapping[str, JSON]) -> Sequence[str]:
    return [f"- **{name}.** {note}" for name, x in rows.items() for note in x["notes"]]


def _without_finding(given: Sources, *, registered: bool) -> Mapping[str, JSON]:
    return {
        name: given.earlier[name]
        for name in given.files
        if name in given.earlier and name not in given.findings
        if given.earlier[name]["registered"] == registered
    }


def link(name: str) -> str:
    """The file of a scenario."""
    return f"[{name}]({name}.yaml)"
