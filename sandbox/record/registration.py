"""What a run registered before its first trial began, and what was changed since.

Each entry of ``registration.jsonl`` holds a whole resolved scenario (claims, levers, doses, arms,
envs, agent, gate, controls, probes, metrics, seeds, interim analyses), hashes of the source files
and the package versions it is run with. The first entry is the registration; every further one is
a numbered revision. Entries written before any trial began are as good as the first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.record.differences import differences

JSON = Mapping[str, Any]
INDECISIVE = frozenset({"metrics", "limits", "name", "format", "claims"})
"""Keys of a scenario that decide no verdict by themselves; claims are compared one by one."""
PINNED = "_sha256"
"""A setting with this ending pins the file that the setting without it names."""
SHOWN = 60
MOST_MODULES = 5


@dataclass(frozen=True)
class Registered:
    """One entry."""

    number: int  # from 1
    when: str
    commit: str | None
    scenario: JSON  # resolved
    yaml: str  # the scenario's file
    code: JSON  # {"sources": module -> SHA-256, "versions": package -> version}
    begun: int  # trials that had begun when this was written
    finished: int
    manifest_entries: int  # lines that the manifest had then, and the hash of the last
    manifest_head: str
    hash: str

    @classmethod
    def of(cls, entry: JSON) -> "Registered":
        """Read one line of the file."""
        return cls(
            number=entry["entry"],
            when=entry.get("when", ""),
            commit=entry.get("commit"),
            scenario=entry["resolved"],
            yaml=entry.get("yaml", ""),
            code=entry.get("code", {}),
            begun=entry.get("trials_begun", 0),
            finished=entry.get("trials_finished", 0),
            manifest_entries=entry.get("manifest_entries", 0),
            manifest_head=entry.get("manifest_head", ""),
            hash=entry.get("hash", ""),
        )


@dataclass(frozen=True)
class Revision:
    """An entry after the first: what it changed."""

    number: int  # from 1
    when: str
    begun: int
    finished: int
    changes: tuple[str, ...]  # for people: "claims.1.direction: lower → higher"

    def __str__(self) -> str:
        data = f"{self.finished} trials were finished" if self.begun else "before any trial"
        return f"revision {self.number} of {self.when} ({data}): {'; '.join(self.changes)}"


@dataclass(frozen=True)
class Registration:
    """All entries of a run, in order; at least one."""

    entries: tuple[Registered, ...]

    @property
    def last(self) -> Registered:
        """What is in force."""
        return self.entries[-1]

    @cached_property
    def before_data(self) -> Registered:
        """The last entry that was written when no trial had begun."""
        clean = [each for each in self.entries if not each.begun]
        return clean[-1] if clean else self.entries[0]

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        """Every entry after the first."""
        pairs = zip(self.entries, self.entries[1:], strict=False)
        return tuple(_revision(one, other) for one, other in pairs)

    @property
    def after_data(self) -> tuple[Revision, ...]:
        """Revisions written when trials had begun."""
        return tuple(each for each in self.revisions if each.begun)

    @property
    def decisive(self) -> tuple[str, ...]:
        """What is other now than before the first trial began, and bears on every claim."""
        before, last = self.before_data, self.last
        found = [
            text for text, decides in scenario_changes(before.scenario, last.scenario) if decides
        ]
        return (*found, *code_changes(before.code, last.code))

    def is_registered(self, claim: JSON) -> bool:
        """Was this very claim written down before any trial began?"""
        return claim in claims(self.before_data.scenario)

    def begun_before(self, claim: JSON) -> int:
        """How many trials had begun when this claim was first written down."""
        return next((each.begun for each in self.entries if claim in claims(each.scenario)), 0)

    @property
    def family(self) -> int:
        """How many registered claims share alpha, controls apart: a dropped one still counts."""
        return _claimed(self.before_data.scenario)

    @property
    def largest_family(self) -> int:
        """As ``family``, claims that were added later counted, too."""
        return max(_claimed(self.before_data.scenario), _claimed(self.last.scenario))


def _claimed(scenario: JSON) -> int:
    return len([each for each in claims(scenario) if each.get("role", "claim") == "claim"])


def claims(scenario: JSON) -> list[JSON]:
    """The claims of a resolved scenario; may be empty."""
    return list(scenario.get("claims") or [])


def _revision(before: Registered, after: Registered) -> Revision:
    changes = [text for text, _ in scenario_changes(before.scenario, after.scenario)]
    code = tuple(code_changes(before.code, after.code))
    number = after.number - 1
    return Revision(number, after.when, after.begun, after.finished, (*changes, *code))


def scenario_changes(before: JSON, after: JSON) -> Iterator[tuple[str, bool]]:
    """Each change between two resolved scenarios in words, and whether every verdict hangs on it.

    A claim that was altered or added changes that claim alone. One that was dropped frees no alpha
    for the others, since the family keeps its size. On a control every verdict hangs.
    """
    yield from _claim_changes(claims(before), claims(after))
    for path, was, now in differences(_compared(before), _compared(after)):
        yield f"{'.'.join(path)}: {_short(was)} → {_short(now)}", path[0] not in INDECISIVE


def _compared(scenario: JSON) -> JSON:
    """Everything but the claims, and no paths of files that a hash beside them pins."""
    return {key: _without_paths(each) for key, each in scenario.items() if key != "claims"}


def _without_paths(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {key: each for key, each in value.items() if not value.get(f"{key}{PINNED}")}
        return {key: _without_paths(each) for key, each in kept.items()}
    return [_without_paths(each) for each in value] if isinstance(value, list) else value


def _claim_changes(before: Sequence[JSON], after: Sequence[JSON]) -> Iterator[tuple[str, bool]]:
    """Claims that are in one of two lists only; altered ones are paired in order."""
    old = [each for each in before if each not in after]
    new = [(number, each) for number, each in enumerate(after, 1) if each not in before]
    for was, (number, now) in zip(old, new, strict=False):
        for path, one, other in differences(was, now, (f"claims.{number}",)):
            yield f"{'.'.join(path)}: {_short(one)} → {_short(other)}", _control(was, now)
    yield from ((f"claim dropped: {_claim(each)}", _control(each)) for each in old[len(new) :])
    added = new[len(old) :]
    yield from (
        (f"claims.{number} added: {_claim(each)}", _control(each)) for number, each in added
    )


def _control(*changed: JSON) -> bool:
    return any(each.get("role", "claim") != "claim" for each in changed)


def _claim(claim: JSON) -> str:
    role = claim.get("role", "claim").replace("_", " ")
    return (
        f"{role} that {claim.get('effect_of')} makes {claim.get('metric')} {claim.get('direction')}"
    )


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        nested = any(isinstance(each, Mapping) for each in value.values())
        value = ", ".join(value if nested else (f"{k}: {each}" for k, each in value.items()))
    if isinstance(value, list):
        value = f"[{', '.join(map(str, value))}]"
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def code_changes(before: JSON, after: JSON) -> Iterator[str]:
    """What differs between the code of two entries, in words.

    Modules of ours that only one of them has come with another scenario and are no change; of
    plug-ins they are.
    """
    one, other = before.get("sources", {}), after.get("sources", {})
    names = [each for each in one if each in other and one[each] != other[each]]
    names += sorted(each for each in one.keys() ^ other.keys() if ":" in each)
    if names:
        yield f"source of {listed(names)} changed"
    for key in ("plugins", "versions"):
        for path, was, now in differences(before.get(key, {}), after.get(key, {})):
            yield f"{' '.join(path)} {_short(was)} → {_short(now)}"


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - MOST_MODULES} more" if len(names) > MOST_MODULES else ""
    return ", ".join(names[:MOST_MODULES]) + more
