"""Which networks the engine can run, and the choice of an engine for a trial."""

from collections.abc import Iterable, Mapping
from typing import get_args

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


def chosen_engine(
    asked: str, architectures: Iterable[Architecture], added: Mapping[str, Iterable[str]]
) -> tuple[str, list[str]]:
    """Return the engine of a trial, and what speaks against ``numpy``.

    ``architectures``: those that agents start with. ``added``: edit -> kinds of layers that it may
    add. ``auto`` is ``numpy`` if every network that the edits can reach has only kinds with a pass
    in NumPy, else ``torch``; it never changes within a trial.
    """
    against = [
        f"the first network has layers of kind {kind}"
        for kind in unsupported_kinds(layer.kind for each in architectures for layer in each.layers)
    ]
    against += [
        f"edit {edit} may add layers of kind {kind}"
        for edit, kinds in sorted(added.items())
        for kind in unsupported_kinds(kinds)
    ]
    if asked == "auto":
        return ("torch" if against else "numpy"), against
    return asked, against
