"""Checks at start-up that ``envs`` and ``agents`` are ours: other projects use those names too.

pip overwrites files of another distribution without a warning, and in an editable install the
folder that wins depends on the working directory. So the check looks at where each name would be
imported from and reads its first lines, without importing it.
"""

from collections.abc import Iterator
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from sandbox.errors import InputError, Problem

OURS = "sandbox-lab"
NAMES = ("envs", "agents")
_MARK = f'__distribution__ = "{OURS}"'
"""A line of every ``__init__.py`` checked here: a foreign file of that name has other lines."""


@cache
def check_names() -> None:
    """Raise ``InputError`` if ``envs`` or ``agents`` is not the folder beside ``sandbox``."""
    problems = list(clashes())
    if problems:
        raise InputError(*problems)


def clashes() -> Iterator[Problem]:
    """Yield one problem for every name that another project has taken."""
    for name in NAMES:
        found = _file_of(name)
        ours = Path(__file__).resolve().parent.parent / name / "__init__.py"
        if found is None or found.resolve() != ours or not _is_marked(ours):
            yield Problem("", _message(name, found))


def _file_of(name: str) -> Path | None:
    """Return the file that ``import name`` runs, without running it."""
    try:
        spec: ModuleSpec | None = find_spec(name)
    except ValueError:  # a module put into sys.modules by hand has no spec
        return None
    if spec is None:
        return None
    if spec.origin is not None:
        return Path(spec.origin)
    places = list(spec.submodule_search_locations or ())  # a folder without __init__.py
    return Path(places[0]) if places else None


def _is_marked(path: Path) -> bool:
    try:
        return _MARK in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _message(name: str, found: Path | None) -> str:
    if found is None:
        return (
            f"package '{name}' of {OURS} is missing, perhaps removed together with another"
            f" distribution: use a separate environment and install {OURS} again"
        )
    # Slow (reads every RECORD file), so only once it is known that something is wrong.
    others = sorted({each for each in packages_distributions().get(name, ()) if each != OURS})
    owner = " and ".join(f"{each} {version(each)}" for each in others) or "another project"
    return (
        f"package '{name}' comes from {owner} ({found}), not from {OURS}:"
        f" use a separate environment for {OURS}"
    )
