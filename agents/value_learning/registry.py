"""Finds the value model that an objective names: a file of ``agents/values``, or a plug-in's."""

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

from agents.part_settings import SettingError
from agents.values_contract import ValueModel

PACKAGE = "agents.values"
_FOLDER = Path(__file__).resolve().parents[1] / "values"

Named = str | Mapping[str, Mapping[str, int | float | bool | str]]
"""``name`` or ``{name: {setting: value}}``."""


_PLAIN: Mapping[type, set[type]] = {float: {int, float}, int: {int}, bool: {bool}, str: {str}}
_plugged: dict[str, str] = {}  # name -> "module:Class" of third-party code, for this process


def plug(name: str, target: str) -> None:
    """Let settings name a class ``module:Class`` from elsewhere."""
    _plugged[name] = target


def model_names() -> list[str]:
    """What can be named."""
    own = {each.stem for each in _FOLDER.glob("*.py") if not each.stem.startswith("_")}
    return sorted(own | set(_plugged))


def model_of(named: Named) -> ValueModel:
    """The model with its settings. Raises ``SettingError`` in one line, at ``model``."""
    name, settings = _taken_apart(named)
    if name not in model_names():
        raise SettingError(f"model '{name}' is none of {', '.join(model_names())}", "model")
    kind = _kind(name)
    try:
        _check(kind, settings)
        return kind(**settings)
    except (TypeError, ValueError) as error:
        raise SettingError(f"model '{name}': {error}", "model") from error


def _kind(name: str) -> type[ValueModel]:
    if name in _plugged:
        module, _, named = _plugged[name].partition(":")
        found: type[ValueModel] = getattr(importlib.import_module(module), named)
        return found
    home = importlib.import_module(f"{PACKAGE}.{name}")
    (kind,) = (
        each
        for _, each in inspect.getmembers(home, inspect.isclass)
        if each.__module__ == home.__name__ and issubclass(each, ValueModel)
    )
    return kind


def _check(kind: type[ValueModel], settings: Mapping[str, int | float | bool | str]) -> None:
    """Raise ``ValueError`` for a setting that is none, or a plain one of the wrong type."""
    known, types = [each.name for each in fields(kind) if each.init], get_type_hints(kind)  # type: ignore[arg-type]
    for name, value in settings.items():
        if name not in known:
            raise ValueError(f"no setting is called '{name}': there are {', '.join(known)}")
        wanted = types[name]
        fits = _PLAIN.get(wanted)
        if fits is not None and type(value) not in fits:  # True is an int, too, but no number
            raise ValueError(f"{name} is of type {wanted.__name__}, not {value!r}")


def _taken_apart(named: Named) -> tuple[str, Mapping[str, int | float | bool | str]]:
    if isinstance(named, str):
        return named, {}
    if len(named) != 1:
        raise SettingError("model is one name, or one name with its settings", "model")
    ((name, settings),) = named.items()
    return name, settings
