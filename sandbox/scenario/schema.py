"""The JSON Schema of scenarios, made from the form and the part folders; editors complete from it.

``make generated`` rewrites ``scenario.schema.json`` after a part or a setting changed.
Only built-in parts are in it: a plug-in's names are known where it is installed.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from sandbox.catalogue import Part, catalogue
from sandbox.scenario.findings import LARGEST_SEED
from sandbox.scenario.form import MOST_SEEDS, ScenarioForm
from sandbox.scenario.parts import to_json

JSON = dict[str, Any]
FILE = (Path(__file__).parents[1] / "scenario.schema.json").resolve()
"""In a checkout a link to the top folder, where the scenarios' first lines expect it."""


def schema() -> JSON:
    """Return the schema as JSON data, the same every time."""
    made = ScenarioForm.model_json_schema(by_alias=True)
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
    top, forms = made["properties"], made["$defs"]
    agent = forms["AgentForm"]["properties"]
    _become(agent["learner"], _one("learners"))
    _become(agent["editor"], _one("editors"))
    _become(agent["objective"], _objectives())
    _become(top["controls"], _controls())
    _become(forms["EnvForm"]["properties"]["controls"], _controls())
    _become(forms["ArmForm"]["properties"]["controls"], _controls())
    _become(forms["ArmForm"]["properties"]["learner"], _one("learners"))
    _become(forms["ArmForm"]["properties"]["editor"], _one("editors"))
    _become(forms["ArmForm"]["properties"]["objective"], _objectives())
    _become(top["probes"], _probes())
    _become(top["levers"], _levers(top["levers"]["additionalProperties"]))
    _become(top["metrics"], {"type": "array", "minItems": 1, "items": _names("metrics")})
    _become(top["seeds"], _seeds())
    _become(top["envs"], _or_text(top["envs"]))
    _become(top["claims"], {"anyOf": [top["claims"]["items"], _bare(top["claims"])]})
    forms["ClaimForm"]["properties"]["metric"] |= _names("metrics")
    forms["ClaimForm"]["properties"]["effect_of"] |= _names("levers")
    return made


def text() -> str:
    """What ``scenario.schema.json`` must hold."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _one(kind: str) -> JSON:
    parts = _parts(kind)
    alone = {"enum": sorted(parts)}
    whole = _mapping({name: _settings(part) for name, part in parts.items()})
    return {"anyOf": [alone, whole | {"minProperties": 1, "maxProperties": 1}]}


def _objectives() -> JSON:
    number = {"type": "number"}
    parts = {
        name: {"anyOf": [number, _settings(part)], "description": part.summary}
        for name, part in _parts("objectives").items()
    }
    return _mapping(parts) | {"minProperties": 1}


def _probes() -> JSON:
    parts = {name: _settings(part) for name, part in _parts("probes").items()}
    return {"anyOf": [{"type": "array", "items": _names("probes")}, _mapping(parts)]}


def _controls() -> JSON:
    number = {"type": "number", "minimum": 0}
    return _mapping(
        {
            name: {"anyOf": [number, _settings(part)], "description": part.summary}
            for name, part in _parts("controls").items()
        }
    )


def _levers(doses: JSON) -> JSON:
    """Numbers, or names where the lever chooses by name."""
    kinds = {True: {"type": "string"}, False: {"type": "number"}}
    return _mapping(
        {
            name: {**doses, "items": kinds[part.load().named], "description": part.summary}
            for name, part in _parts("levers").items()
        }
    )


def _seeds() -> JSON:
    seed = {"type": "integer", "minimum": 0, "maximum": LARGEST_SEED}
    count = {"type": "integer", "minimum": 1, "maximum": MOST_SEEDS}
    span = _mapping({"first": seed, "count": count}) | {"required": ["count"]}
    several = {"type": "array", "items": seed, "minItems": 1, "uniqueItems": True}
    return {"anyOf": [count, several, span]}


def _settings(part: Part) -> JSON:
    """The settings of one part; null stands for none."""
    cls = part.load()
    hints = get_type_hints(cls)
    known = {each.name: _setting(each, hints[each.name]) for each in fields(cls) if each.init}
    return _mapping(known, kinds=["object", "null"]) | {"description": part.summary}


def _setting(setting: Field[Any], hint: Any) -> JSON:
    try:
        made = TypeAdapter(hint).json_schema()
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError):
        made = {}
    default = {} if setting.default is MISSING else {"default": to_json(setting.default)}
    return made | default


def _names(kind: str) -> JSON:
    return {"enum": sorted(_parts(kind))}


def _parts(kind: str) -> dict[str, Part]:
    parts = catalogue().parts(kind)
    return {name: part for name, part in sorted(parts.items()) if part.origin == "built in"}


def _mapping(properties: JSON, kinds: Any = "object") -> JSON:
    return {"type": kinds, "properties": properties, "additionalProperties": False}


def _or_text(listed: JSON) -> JSON:
    made = _bare(listed)
    return made | {"items": {"anyOf": [{"type": "string", "minLength": 1}, made["items"]]}}


def _bare(made: Mapping[str, Any]) -> JSON:
    """Without the words around it."""
    return {key: value for key, value in made.items() if key not in _WORDS}


_WORDS = ("title", "description", "default")


def _become(place: JSON, new: JSON) -> None:
    """Put ``new`` where pydantic's own description stands, which knows no shorthand."""
    words = {key: place[key] for key in _WORDS if key in place}
    place.clear()
    place |= words | new
