"""Which networks the engine can run, and the choice of an engine for a trial."""

from collections.abc import Iterable, Mapping
from typing import get_args

from agents.contract import Edit
from agents.genome import Architecture, Engine
from agents.layers import KINDS

ENGINES: tuple[str, ...] = get_args(Engine)


def unsupported_kinds(kinds: Iterable[str]) -> list[str]:
    """Return those kinds of layers that have no pass in NumPy, sorted."""
    return sorted({kind for kind in kinds if KINDS[kind].numpy_pass is None})


def engine_problems(architecture: Architecture) -> list[str]:
    """Return why the NumPy engine cannot run this architecture; empty if it can."""
    found = unsupported_kinds(layer.kind for layer in architecture.layers)
    return [f"engine numpy cannot run layers of kind {kind}: use engine torch" for kind in found]


def first_engine(asked: str, architecture: Architecture) -> str:
    """Return the engine of an agent that begins with this network; ``ValueError`` if it cannot.

    ``auto`` is ``numpy`` where that can run it; an agent keeps its engine for good.
    """
    if asked not in ENGINES:
        raise ValueError(f"engine is one of {', '.join(ENGINES)}, not {asked!r}")
    found = engine_problems(architecture)
    if asked == "numpy" and found:
        raise ValueError("; ".join(found))
    return ("torch" if found else "numpy") if asked == "auto" else asked


def why_torch(architecture: Architecture, edits: Mapping[str, type[Edit]]) -> list[str]:
    """Return why a trial that begins with this network and may see these edits needs torch.

    Empty: ``numpy`` computes every network that the trial can reach. An edit that undoes others, or
    copies a network of the same trial, reaches nothing that was not reached before.
    """
    found = [
        f"the architecture has layers of kind {kind}"
        for kind in unsupported_kinds(layer.kind for layer in architecture.layers)
    ]
    for name, edit in sorted(edits.items()):
        added = kinds_added(edit)
        if added is None:
            found.append(f"edit '{name}' does not say which kinds of layers it adds")
        elif kinds := unsupported_kinds(added):
            found.append(f"edit '{name}' may add layers of kind {', '.join(kinds)}")
    return found


def kinds_added(edit: type[Edit]) -> frozenset[str] | None:
    """Return the kinds of layers that this edit may bring into a network; ``None``: any."""
    if "architecture" not in (edit.part, *edit.also):
        return frozenset()  # the gate refuses it where it touches what it did not declare
    return edit.adds
