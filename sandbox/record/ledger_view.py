"""A trial's ledger by agent: rows of a table, a tree of edits, the genomes in force."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sandbox.errors import InputError, Problem
from sandbox.record import ledger
from sandbox.record.descent import Descent
from sandbox.record.lineage import lineages
from sandbox.record.store import TrialRecord
from sandbox.words import claim_check

JSON = Mapping[str, Any]
COLUMNS = (
    "entry", "parent", "update", "what", "settings", "decision", "claim check", "KL", "cost",
    "parameters",
)  # fmt: skip
LONGEST = 44
"""Letters of an edit's settings in the table."""


@dataclass(frozen=True)
class Book:
    """The whole ledger of one trial, in order, its chain checked."""

    trial: TrialRecord
    entries: tuple[JSON, ...]

    @classmethod
    def of(cls, trial: TrialRecord) -> "Book":
        """Read it. Raises ``IntegrityError`` naming the first broken line."""
        path = trial.folder / "ledger.jsonl"
        with path.open(encoding="utf-8", newline="") as lines:
            entries, _ = ledger.check(lines, trial.id, str(path))
        return cls(trial, tuple(entries))

    def agents(self) -> tuple[str, ...]:
        """Names of the agents."""
        return tuple(each["agent"] for each in self.entries if each["kind"] == "start")

    def counts(self) -> dict[str, Any]:
        """One row that sums the trial up."""
        kinds = [each["kind"] for each in self.entries]
        return {
            "trial": self.trial.id,
            "condition": self.trial.condition_name,
            "seed": self.trial.spec["seed"],
            "state": self.trial.status.get("state", "unfinished"),
            "proposed": kinds.count("proposal"),
            "applied": sum(_is_plain(each) for each in self.entries),
            "rejected": sum(not each.get("applied", True) for each in self.entries),
            "rolled back": kinds.count("rolled back"),
            "tampering": kinds.count("tamper attempt"),
        }

    def rows(self) -> list[dict[str, Any]]:
        """One row an entry, of short texts."""
        shared = len(self.agents()) > 1
        return [_row(each) | ({"agent": each["agent"]} if shared else {}) for each in self.entries]

    def graph(self) -> Iterator[str]:
        """The lineage of every agent as a tree; what was undone hangs off where it began."""
        for agent in self.agents():
            if len(self.agents()) > 1:
                yield f"{agent}:"
            yield from _tree([each for each in self.entries if each["agent"] == agent])

    def genome(self, entry: int) -> JSON:
        """The genome in force after this entry. Raises ``InputError`` where there is no such."""
        if not 1 <= entry <= len(self.entries):
            what = f"there is no entry {entry}: they go from 1 to {len(self.entries)}"
            raise InputError(Problem(str(self.trial.folder), what))
        agent_runs = {each.agent: each for each in lineages(self.trial.events)}
        agent_run = agent_runs.get(self.entries[entry - 1]["agent"])
        return agent_run.after(entry).genome if agent_run else {}


def _row(entry: JSON) -> dict[str, Any]:
    behaviour = entry.get("behaviour") or {}
    sizes = entry.get("parameters") or {}
    return {
        "entry": entry["entry"],
        "parent": entry.get("parent", ""),
        "update": entry.get("update", ""),
        "what": _what(entry),
        "settings": settings(entry.get("settings") or {}),
        "decision": _decision(entry),
        "claim check": claim_check(entry.get("audit", "")),
        "KL": f"{behaviour['mean_kl']:.2g}" if behaviour else "",
        "cost": f"{entry['cost_flops']:.3g}" if "cost_flops" in entry else "",
        "parameters": sizes.get("after", ""),
    }


def _what(entry: JSON) -> str:
    if entry["kind"] == "proposal":
        return str(entry["edit"])
    if entry["kind"] in {"rolled back", "probation"}:
        return f"{entry['kind']} of {entry['of']}"
    if entry["kind"] == "tamper attempt":
        return f"tampered: {entry['surface']}.{entry['attempt']}"
    return str(entry["kind"])


def _is_plain(entry: JSON) -> bool:
    """Was it applied, and is nothing more to say of that?"""
    return bool(entry.get("applied")) and not entry.get("marks")


def _decision(entry: JSON) -> str:
    if entry["kind"] == "proposal":
        marks = "".join(f", {each}" for each in entry.get("marks", ()))
        return f"applied{marks}" if entry["applied"] else f"rejected: {entry['reason']}"
    if entry["kind"] == "probation":
        return f"{entry['outcome']}: {entry['reason']}"
    return str(entry.get("reason", ""))


def settings(given: JSON, longest: int = LONGEST) -> str:
    """``layer=0 units=8``, cut where it is long: a genome's text fills a screen."""
    text = " ".join(f"{key}={value}" for key, value in given.items())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _tree(entries: Sequence[JSON]) -> Iterator[str]:
    made = {each["entry"]: each for each in entries if _makes_state(each)}
    parents = {each: made[each].get("parent", before) for before, each in pairwise(made)}
    agent_states = Descent(next(iter(made)), parents, next(reversed(made)))
    yield from _branch(agent_states.start_node, "", made, agent_states, set(agent_states.line()))


def _makes_state(entry: JSON) -> bool:
    """Did it make or change the agent state?"""
    return entry["kind"] in {"start", "rolled back"} or bool(entry.get("applied"))


def _branch(
    entry: int, prefix: str, made: Mapping[int, JSON], agent_states: Descent, line: set[int]
) -> Iterator[str]:
    """The main line goes straight down; each side branch is printed whole where it leaves."""
    mark = prefix
    while True:
        yield f"{mark}{_label(made[entry], alive=entry in line)}"
        mark = prefix
        following = agent_states.children(entry)
        if not following:
            return
        main = next((each for each in following if each in line), following[-1])
        for side in following:
            if side != main:
                lines = _branch(side, f"{prefix}│  ", made, agent_states, line)
                head = next(lines)
                yield f"{prefix}├──{head.removeprefix(prefix + '│  ')}"
                yield from lines
        entry = main


def _label(entry: JSON, *, alive: bool) -> str:
    place = f"{'●' if alive else '○'} {entry['entry']}"
    words = [_what(entry)]
    if entry.get("undoes") is not None:
        words = [f"undo of {entry['undoes']}"]
    elif entry.get("settings"):
        words.append(settings(entry["settings"]))
    if "update" in entry:
        words.append(f"(update {entry['update']})")
    return f"{place} {' '.join(words)}{'' if alive else ', undone'}"
