"""Finds the value model that an objective's settings name, among the files of the shelf."""

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path

from agents.values_contract import ValueModel

SHELF = "agents.values"
_FOLDER = Path(__file__).with_name("values")

Named = str | Mapping[str, Mapping[str, int | float | bool | str]]
"""``name`` or ``{name: {setting: value}}``."""


def model_names() -> list[str]:
    """What can be named."""
    return sorted(each.stem for each in _FOLDER.glob("*.py") if not each.stem.startswith("_"))


def model_of(named: Named) -> ValueModel:
    """The model with its settings. Raises ``ValueError`` in one line."""
    name, settings = _taken_apart(named)
    if name not in model_names():
        raise ValueError(f"model '{name}' is not on the shelf: {', '.join(model_names())}")
    module = importlib.import_module(f"{SHELF}.{name}")
    (kind,) = (
        each
        for _, each in inspect.getmembers(module, inspect.isclass)
        if each.__module__ == module.__name__ and issubclass(each, ValueModel)
    )
    try:
        found: ValueModel = kind(**settings)
    except (TypeError, ValueError) as error:
        raise ValueError(f"model '{name}': {error}") from error
    return found


def _taken_apart(named: Named) -> tuple[str, Mapping[str, int | float | bool | str]]:
    if isinstance(named, str):
        return named, {}
    if len(named) != 1:
        raise ValueError("model is one name, or one name with its settings")
    ((name, settings),) = named.items()
    return name, settings
