"""Checks the parts a scenario names against the part folders: names, settings and defaults.

A part is a frozen dataclass; its fields are its settings. What comes out is JSON with every field
in it, so that a trial's id changes when a setting does, wherever the setting came from.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from agents.contract import Edit, RefusedEditError
from agents.genome import Genome
from agents.part_settings import FAULTS, tuples
from sandbox.catalogue import catalogue
from sandbox.env_index import EnvEntry, world_class
from sandbox.errors import InputError, fault
from sandbox.scenario.findings import Findings, dotted, problems_of
from sandbox.scenario.form import ArchitectureForm, as_named
from sandbox.scenario.strict_yaml import Path

JSON = dict[str, Any]

WHEN = ("update", "every", "edit")
"""Keys of an item that are no settings of its edit."""
PLACES = frozenset({"layer", "before", "after", "source", "expert", "guard"})
"""Settings that point into the agent as it is by then, which is not known yet."""


def one(found: Findings, path: Path, kind: str, written: Any) -> JSON | None:
    """Resolve ``name`` or ``{name: settings}``. ``None`` where something is wrong with it."""
    written = as_named(written)
    if not isinstance(written, dict) or len(written) != 1:
        return None  # reported by the form
    return several(found, path, kind, written)


def several(found: Findings, path: Path, kind: str, written: Any) -> JSON | None:
    """Resolve ``{name: settings, ...}``. ``None`` where something is wrong with any."""
    written = as_named(written)
    if not isinstance(written, dict):
        return None
    resolved = {
        name: part(found, (*path, name), kind, name, settings) for name, settings in written.items()
    }
    return resolved if all(each is not None for each in resolved.values()) else None


def part(found: Findings, path: Path, kind: str, name: str, written: Any) -> JSON | None:
    """Resolve the settings of one part: every field, defaults included."""
    if name not in catalogue().parts(kind):
        found.no_such(path, kind[:-1], name, catalogue().names(kind))
        return None
    try:
        cls = catalogue().load(kind, name)
        has_weight = "weight" in {each.name for each in fields(cls)}
        get_type_hints(cls)
    except FAULTS as error:  # third-party module: it may raise any error
        said = (
            str(error)
            if isinstance(error, InputError)
            else f"{type(error).__name__}: {fault(error)}"
        )
        found.add(path, f"{kind[:-1]} '{name}' cannot be loaded: {said}")
        return None
    if kind == "objectives" and not has_weight:
        found.add(path, f"objective '{name}' has no field 'weight', so nothing can weigh it")
        return None
    return settings(found, path, cls, written)


def settings(found: Findings, path: Path, cls: type[Any], written: Any) -> JSON | None:
    """Hold ``{setting: value}`` against the fields of ``cls``; JSON with every field."""
    if not isinstance(written, dict):
        return None  # reported by the form
    known = {each.name: each for each in fields(cls) if each.init}
    values, good = _values(found, path, get_type_hints(cls), known, written)
    if missing := [name for name, each in known.items() if name not in written and _must(each)]:
        found.add(path, f"'{missing[0]}' is missing in {dotted(path)}")
        return None
    try:
        instance = cls(**values)
    except FAULTS as error:  # a part may refuse its settings in any way
        for at, what in problems_of(error):
            found.add((*path, *at), f"{dotted(path)}: {what}")
        return None
    whole = to_json(asdict(instance))
    return {name: whole[name] for name in known} if good else None


def world_kwargs(found: Findings, path: Path, env: EnvEntry, written: Any) -> JSON | None:
    """Resolve an env's settings; a third-party env checks its own when it is made."""
    if not isinstance(written, dict):
        return None
    if not env.world:
        return dict(written)
    try:
        cls = world_class(env.id)
        get_type_hints(cls)
    except FAULTS as error:  # third-party module: it may raise any error
        found.add(
            path[:-1], f"env '{env.id}' cannot be loaded: {type(error).__name__}: {fault(error)}"
        )
        return None
    resolved = settings(found, path, cls, written)
    if resolved is None:
        return None
    scalar = int | float | str | None  # tables of a world are part of the world, unless set
    return {k: v for k, v in resolved.items() if k in written or isinstance(v, scalar)}


def architecture(found: Findings, path: Path, form: ArchitectureForm) -> JSON:
    """Layers, written short or long, and what else is not at its default."""
    if form.trunk is not None and form.layers is not None:
        found.add((*path, "layers"), "give 'trunk' or 'layers', not both", at_key=True)
    layers: list[JSON] = [{"kind": "dense", "units": units} for units in form.trunk or ()]
    if form.layers is not None:
        layers = [each.model_dump(exclude_defaults=True) for each in form.layers]
    elif form.trunk is None:
        layers = [{"kind": "dense", "units": 32}, {"kind": "dense", "units": 32}]
    if layers and layers[0]["kind"] == "residual":
        found.add((*path, "layers", 0), "the first layer must be dense: it sets the width")
    more = form.model_dump(include={"history", "guards"}, exclude_defaults=True)
    return {"layers": layers, "activation": form.activation, **more}


def refused(
    found: Findings, path: Path, plan: Any, genome: Genome, edits: Mapping[str, type[Edit]]
) -> None:
    """Note every item of a plan with a setting that its edit refuses whatever comes before.

    An edit that only this agent's initial size forbids may be possible by the time it is due.
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


def to_json(data: Any) -> Any:
    """Dataclass values as JSON data: tuples become lists."""
    return json.loads(json.dumps(data, allow_nan=False))


def _must(setting: Field[Any]) -> bool:
    return setting.default is MISSING and setting.default_factory is MISSING


def _values(
    found: Findings, path: Path, hints: JSON, known: Mapping[str, Field[Any]], written: JSON
) -> tuple[JSON, bool]:
    """Values of the right kind, and whether all were; the rest are noted, and left out."""
    values, good = JSON(), True
    for name, value in written.items():
        if name not in known:
            found.unknown((*path, name), known)
            good = False
            continue
        try:
            values[name] = TypeAdapter(hints[name]).validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            found.value((*path, name), error.errors(include_url=False))
            good = False
        good = _known_edits(found, (*path, name), value) and good
        good = _known_plan(found, (*path, name), value) and good
    return values, good


def _known_edits(found: Findings, path: Path, value: Any) -> bool:
    """Editors list the edits they choose among; each must exist."""
    if path[-1] != "edits" or not isinstance(value, list):
        return True
    allowed = catalogue().names("edits")
    bad = [(i, each) for i, each in enumerate(value) if isinstance(each, str)]
    bad = [(i, each) for i, each in bad if each not in allowed]
    for i, each in bad:
        found.no_such((*path, i), "edit", each, allowed)
    return not bad


def _known_plan(found: Findings, path: Path, value: Any) -> bool:
    """Check every item of the setting ``plan`` as parts are checked; is all of it good?

    What is no list of mappings is left to the type check.
    """
    if path[-1] != "plan" or not isinstance(value, list):
        return True
    good = True
    for i, each in enumerate(value):
        if isinstance(each, dict):
            good = _known_item(found, (*path, i), each) and good
    return good


def _known_item(found: Findings, path: Path, item: JSON) -> bool:
    name = item.get("edit")
    if not isinstance(name, str):
        return True  # reported by the editor
    if name not in catalogue().parts("edits"):
        found.no_such((*path, "edit"), "edit", name, catalogue().names("edits"))
        return False
    try:
        cls = catalogue().load("edits", name)
        allowed = {each.name: each for each in fields(cls) if each.init}
        hints = get_type_hints(cls)
    except FAULTS as error:  # third-party module: it may raise any error
        what = f"edit '{name}' cannot be loaded: {type(error).__name__}: {fault(error)}"
        found.add((*path, "edit"), what)
        return False
    written = {key: each for key, each in item.items() if key not in WHEN}
    strange = [key for key in written if key not in allowed]
    for key in strange:
        found.unknown((*path, key), (*allowed, *WHEN))
    rest = {key: each for key, each in written.items() if key not in strange}
    return _values(found, path, hints, allowed, rest)[1] and not strange
