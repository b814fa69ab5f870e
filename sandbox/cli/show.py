"""What ``sandbox show`` says about a part, an env, a scenario or a run folder."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

from sandbox.catalogue import PART_FOLDERS, Part, catalogue, kind_name, resolve
from sandbox.env_index import EnvEntry, did_you_mean_env, entries, world_class
from sandbox.errors import InputError, Problem
from sandbox.play import settings as key_values
from sandbox.play import world_card
from sandbox.scenario.source import shipped

Card = dict[str, Any]
"""``kind``, ``name``, ``text``, and whatever else is known, as JSON data."""


def described(
    name: str, plugins: Sequence[str] = (), settings: Mapping[str, Any] | None = None
) -> list[Card]:
    """Everything of this name. Raises ``InputError`` with a suggestion.

    ``plugins``: modules that a process must plug in before it makes a third-party env;
    ``settings``: of a world, which is then shown alone.
    """
    from sandbox.record.store import is_run  # noqa: PLC0415  (`list` needs none of it)

    if settings:
        return [_with_settings(name, settings)]
    if is_run(Path(name)):
        return [_run(Path(name))]
    parts = [catalogue().parts(folder).get(name) for folder in PART_FOLDERS]
    cards = [_part(each) for each in parts if each is not None]
    envs = entries()
    if name in envs:
        cards.append(_env(envs[name], plugins))
    if name in shipped():
        cards.append(_scenario(name))
    if not cards:
        every = [each for folder in PART_FOLDERS for each in catalogue().names(folder)]
        hint = did_you_mean_env(name, [*every, *shipped()], envs)
        raise InputError(
            Problem("", f"nothing is called '{name[:80]}': no part, env, scenario or run{hint}")
        )
    return cards


def printed(card: Card) -> str:
    """A card for people."""
    lines = [f"{card['name']} ({card['kind']}, {card['origin']})", "", card["text"]]
    if card.get("settings"):
        lines += [
            "",
            "Settings (name, type = default, meaning):",
            *_settings_lines(card["settings"]),
        ]
    if "map" in card:
        lines += ["", *world_card.printed(card)]
    if card.get("spaces"):
        lines += ["", *(f"{key}: {value}" for key, value in card["spaces"].items()), ""]
    named = {"facts": "Properties", "conditions": "Conditions"}
    lines += [f"{word}: {card[key]}" for key, word in named.items() if card.get(key)]
    if card.get("example"):
        lines += ["", "In a scenario:", *(f"  {each}" for each in card["example"])]
    return "\n".join(lines)


def _settings_lines(rows: Sequence[Card]) -> list[str]:
    width = max(len(each["name"]) for each in rows)
    lines = []
    for row in rows:
        about = f"  # {row['about']}" if row.get("about") else ""
        lines.append(f"  {row['name']:{width}}  {row['type']} = {row['default']}{about}")
    return lines


def _part(part: Part) -> Card:
    cls = part.load()
    above = "" if ":" in part.target else inspect.getdoc(inspect.getmodule(cls))
    card: Card = {"kind": kind_name(part.kind), "name": part.name, "origin": part.origin}
    card |= {"text": _text(above or part.summary, cls), "settings": _settings(cls)}
    facts = ("unit", "range", "direction", "scope", "family", "neutral", "joint", "part")
    known = {key: getattr(cls, key, "") for key in facts}
    shown = {k: value for k, value in known.items() if isinstance(value, _PLAIN) and value != ""}
    if shown:
        card["facts"] = ", ".join(f"{key} {value}" for key, value in shown.items())
    if part.kind == "controls":
        card["example"] = _example(part.name, cls)
    return card | (world_card.of(cls()) if part.kind == "worlds" else {})


def _example(name: str, control: type[Any]) -> list[str]:
    """Lines of a scenario with this control; its lever varies the intensity."""
    return [f"controls: {{{name}: {{{control.example}}}}}", f"levers: {{{name}: [0, 0.5]}}"]


def _with_settings(name: str, values: Mapping[str, Any]) -> Card:
    """A world as it is with these settings. Raises ``InputError`` for what is no world."""
    made = key_values.world(name, dict(values))
    if made is None:
        raise InputError(
            Problem("--set", f"'{name}' is not a world of the sandbox, so it has no settings")
        )
    cls = type(made)
    text = _text(inspect.getdoc(inspect.getmodule(cls)) or "", cls)
    settings = _settings(cls)
    for row in settings:
        row["default"] = getattr(made, row["name"])
    card: Card = {"kind": "world", "name": name, "origin": "with --set", "text": text}
    return {**card, "settings": settings, **world_card.of(made)}


_PLAIN = (str, int, float, tuple)


def _text(above: str, cls: type[Any]) -> str:
    """The file's own words, then the class's where it adds any."""
    return "\n\n".join(each for each in (above, cls.__doc__ and inspect.getdoc(cls)) if each)


def _settings(cls: type[Any]) -> list[Card]:
    said = _comments(cls)
    return [_setting(each, said.get(each.name, "")) for each in fields(cls) if each.init]


def _setting(setting: Field[Any], about: str) -> Card:
    kind = setting.type if isinstance(setting.type, str) else inspect.formatannotation(setting.type)
    default = "required" if setting.default is MISSING else setting.default
    return {"name": setting.name, "type": kind, "default": default, "about": about}


def _comments(cls: type[Any]) -> dict[str, str]:
    """What the source says of each setting, on the same line; of inherited ones, too."""
    said: dict[str, str] = {}
    for each in reversed([each for each in cls.__mro__ if is_dataclass(each)]):
        try:
            source = inspect.getsource(each)
        except (OSError, TypeError):
            continue
        pattern = r"^    (\w+): [^#\n]*#\s*(?!noqa|type:)(.+)$"
        said |= dict(re.findall(pattern, source, re.MULTILINE))
    return said


def _env(env: EnvEntry, plugins: Sequence[str]) -> Card:
    card: Card = {"kind": f"{env.kind} env", "name": env.id, "origin": env.origin}
    if env.world:
        cls = world_class(env.id)
        module = inspect.getdoc(inspect.getmodule(cls)) or ""
        settings = _settings(cls)
        return {**card, "text": _text(module, cls), "settings": settings, **world_card.of(cls())}
    card |= {"text": _doc_of(env.id)} if env.joint else _third_party(env.id)
    return card | {"spaces": _spaces(env, plugins)}


def _spaces(env: EnvEntry, plugins: Sequence[str]) -> dict[str, str]:
    """What the env shows and takes, asked in a process of its own: making it may do anything."""
    from sandbox.checkup.check_process import spaces  # noqa: PLC0415

    found = spaces(env.id, plugins)
    if "actions" in found and not re.search(r"\bDiscrete\(", found["actions"]):
        found["note"] = "learners need Discrete actions (sac: one Box): wrap this environment"
    return found


def _third_party(env_id: str) -> Card:
    from gymnasium.envs.registration import registry  # noqa: PLC0415

    spec = registry[env_id]
    facts = {
        "entry point": spec.entry_point,
        "steps to truncation": spec.max_episode_steps,
        "reward threshold": spec.reward_threshold,
        "kwargs": spec.kwargs or None,
    }
    known = ", ".join(f"{key} {value}" for key, value in facts.items() if value is not None)
    return {
        "text": "A third-party environment: it has no ground truth (hidden reward, harm).",
        "facts": known,
    }


def _doc_of(env_id: str) -> str:
    if env_id not in catalogue().parallel:
        return ""
    return inspect.getdoc(resolve(catalogue().parallel[env_id][0])) or ""


def _scenario(name: str) -> Card:
    text = shipped()[name].read_text(encoding="utf-8")
    return {"kind": "scenario", "name": name, "origin": str(shipped()[name]), "text": text}


def _run(folder: Path) -> Card:
    from sandbox.execution.status import status_of  # noqa: PLC0415
    from sandbox.record.store import read_run  # noqa: PLC0415

    scenario = read_run(folder).scenario
    found = status_of(folder)
    return {
        "kind": "run",
        "name": str(folder),
        "origin": scenario["name"],
        "text": f"{scenario['question']}\n\n{found}",
        "conditions": _joined(each.condition for each in found.conditions),
    }


def _joined(names: Iterable[str]) -> str:
    return " | ".join(names)
