"""Which settings of an editor an edit may change, and how far; every editor class declares its own.

An editor that may be edited has a class variable ``bounds``: setting -> (low, high). The other
settings cannot be reached from inside, nor can a bound: it is no setting.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

from agents.contract import Editor, RefusedEditError
from agents.genome import EditorGene
from agents.part_settings import PlacedProblem

PART_FOLDER = "agents.editors"


def editor_class(name: str) -> type[Editor]:
    """The class of an editor: of the part folder, or of a plug-in that is loaded.

    Raises ``RefusedEditError`` where there is none.
    """
    found = next(_loaded(name), None)
    if found is None and name.isidentifier() and f"{PART_FOLDER}.{name}" not in sys.modules:
        try:
            importlib.import_module(f"{PART_FOLDER}.{name}")
        except ImportError:
            raise RefusedEditError(f"no editor is called '{name}'") from None
        found = next(_loaded(name), None)
    if found is None:
        raise RefusedEditError(f"no editor is called '{name}'")
    return found


def bounds_of(kind: type[Editor]) -> Mapping[str, tuple[float, float]]:
    """What may be edited, empty where the class declares nothing."""
    return getattr(kind, "bounds", {})


def settings_of(gene: EditorGene) -> Editor:
    """The editor that a gene names, with its settings. Raises ``RefusedEditError``."""
    kind = editor_class(gene.name)
    try:
        return kind(**gene.settings)
    except (TypeError, ValueError) as error:
        raise RefusedEditError(f"editor '{gene.name}': {error}") from error


def bound_problem(kind: type[Editor], name: str, value: Any) -> PlacedProblem | None:
    """Why this setting of this editor cannot be edited to this value, or ``None``.

    At its name where another value would do.
    """
    bounds = bounds_of(kind)
    if name not in bounds:
        free = ", ".join(sorted(bounds)) or "nothing"
        return PlacedProblem(f"{kind.__name__} lets only {free} be edited")
    low, high = bounds[name]
    if not low <= value <= high:
        return PlacedProblem(f"{name} is bounded to [{low:g}, {high:g}], not {value!r}", name)
    return None


def _loaded(name: str, root: type[Editor] = Editor) -> Iterator[type[Editor]]:
    for kind in root.__subclasses__():
        if kind.__module__.rpartition(".")[2] == name and is_dataclass(kind):
            yield kind
        yield from _loaded(name, kind)
