"""Holds the edits that an editor's plan names against the shelf, before anything has started."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from agents.contract import Edit, RefusedEditError
from agents.faults import FAULTS
from agents.frozen import tuples
from agents.genome import Genome
from sandbox.catalogue import catalogue
from sandbox.errors import fault
from sandbox.scenario_errors import Findings, dotted, problems_of
from sandbox.strict_yaml import Path

JSON = dict[str, Any]
Values = Callable[[Findings, Path, JSON, Mapping[str, Any], JSON], tuple[JSON, bool]]
"""Holds written settings against type hints and fields; see ``scenario_parts``."""

WHEN = ("update", "every", "edit")
"""Keys of an item that are no settings of its edit."""
PLACES = frozenset({"layer", "before", "after", "source", "expert", "guard"})
"""Settings that point into the agent as it is by then, which nobody knows yet."""


def known(found: Findings, path: Path, value: Any, values: Values) -> bool:
    """Check every item of the setting ``plan`` as parts are checked; is all of it good?

    What is no list of mappings is left to whoever checks types.
    """
    if path[-1] != "plan" or not isinstance(value, list):
        return True
    good = True
    for i, each in enumerate(value):
        if isinstance(each, dict):
            good = _item(found, (*path, i), each, values) and good
    return good


def _item(found: Findings, path: Path, item: JSON, values: Values) -> bool:
    name = item.get("edit")
    if not isinstance(name, str):
        return True  # the editor says so
    if name not in catalogue().parts("edits"):
        found.no_such((*path, "edit"), "edit", name, catalogue().names("edits"))
        return False
    try:
        cls = catalogue().load("edits", name)
        allowed = {each.name: each for each in fields(cls) if each.init}
        hints = get_type_hints(cls)
    except FAULTS as error:  # a stranger's module: any error is its own
        what = f"edit '{name}' cannot be loaded: {type(error).__name__}: {fault(error)}"
        found.add((*path, "edit"), what)
        return False
    written = {key: each for key, each in item.items() if key not in WHEN}
    strange = [key for key in written if key not in allowed]
    for key in strange:
        found.unknown((*path, key), (*allowed, *WHEN))
    rest = {key: each for key, each in written.items() if key not in strange}
    return values(found, path, hints, allowed, rest)[1] and not strange


def refused(
    found: Findings, path: Path, plan: Any, genome: Genome, edits: Mapping[str, type[Edit]]
) -> None:
    """Note every item of a plan with a setting that its edit refuses whatever comes before.

    An edit that only this agent's size as born forbids may be possible by the time it is due.
    """
    for i, item in enumerate(plan if isinstance(plan, list | tuple) else ()):
        name = item["edit"]
        settings = {key: each for key, each in item.items() if key not in WHEN}
        if not settings or name not in edits or not edits[name].__module__.startswith("agents."):
            continue
        try:
            edits[name](**tuples(settings)).rewrite(genome)
        except RefusedEditError as refusal:
            for inside, what in problems_of(refusal):
                if inside and inside[0] in settings and inside[0] not in PLACES:
                    at = (*path, i, inside[0])
                    found.add(at, f"{dotted(at)}: {what}")
