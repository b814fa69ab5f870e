"""Dotted paths into a genome: which of them an edit touches, and whether one means anything.

A path names a part (``architecture``) or something in it (``architecture.guards``,
``learning_rule.discount``, ``objective.rnd``, ``architecture.layers.0.units``). Touching what is
inside a path touches the path, and so does taking away what it lies in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from agents.genome import PARTS, RULES, Architecture, Genome, LearningRule, TableRule
from sandbox.errors import did_you_mean
from sandbox.record.differences import Path, differences, meet


def changed(before: Genome, after: Genome) -> tuple[Path, ...]:
    """Return the paths of all values that differ, in order."""
    return tuple(each.path for each in differences(_whole(before), _whole(after)))


def touched(paths: Iterable[str], differing: Sequence[Path]) -> str:
    """Return the first of ``paths`` that a difference touches, or an empty string."""
    for path in paths:
        if any(meet(tuple(path.split(".")), each) for each in differing):
            return path
    return ""


def outside(scope: Iterable[str], differing: Iterable[Path]) -> str:
    """Return the first difference that lies in no path of ``scope``, or an empty string."""
    allowed = [tuple(path.split(".")) for path in scope]
    for each in differing:
        if not any(each[: len(path)] == path for path in allowed):
            return ".".join(each)
    return ""


def problem(path: str) -> str:
    """Say why this path protects nothing; an empty string if it may mean something."""
    part, *inside = path.split(".")
    if part not in PARTS:
        hint = did_you_mean(part, PARTS)
        return f"must begin with a part, {', '.join(PARTS)} (got '{path}'){hint}"
    known = _KNOWN.get(part)
    if inside and known is not None and inside[0] not in known:
        hint = did_you_mean(inside[0], known) or f"; there are {', '.join(sorted(known))}"
        return f"'{part}' has no '{inside[0]}'{hint}"
    return "must not hold empty names" if not all(inside) else ""


_RULES: tuple[type[LearningRule], ...] = (LearningRule, TableRule, *RULES.values())
_KNOWN: Mapping[str, frozenset[str]] = {
    "architecture": frozenset(each.name for each in fields(Architecture)),
    "learning_rule": frozenset(each.name for rule in _RULES for each in fields(rule)),
    "editor": frozenset({"name", "settings"}),
}
"""What a part may hold; names of objectives are the scenario's own."""


def _whole(genome: Genome) -> dict[str, Any]:
    """All of a genome, defaults included: a list is a mapping from its indices."""
    return {
        "architecture": _indexed(asdict(genome.architecture)),
        "learning_rule": asdict(genome.learning_rule),
        "objective": dict(genome.objective),
        "editor": _indexed(genome.editor.to_json()),
    }


def _indexed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _indexed(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return {str(i): _indexed(each) for i, each in enumerate(value)}
    return value
