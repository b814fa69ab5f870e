"""Writes a small working package around a new world, for its author to change."""

import keyword
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from sandbox.errors import InputError, Problem

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_FILES = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "readme.md.txt",
    "@package@.yaml": "scenario.yaml.txt",
    "@package@/__init__.py": "init.py.txt",
    "@package@/world.py": "world.py.txt",
    "tests/test_@package@.py": "test.py.txt",
}
"""File in the new project -> its template; ``@word@`` is filled in both."""
_LONGEST = 40


def write(name: str, folder: Path | str = ".") -> list[Path]:
    """Write the package ``name`` into the new folder ``folder/name``; return its files.

    Raises ``InputError`` for a name that cannot be a package's, and where something is in the way.
    """
    problems = [Problem(f"name '{name[:80]}'", each) for each in _faults(name)]
    if problems:
        raise InputError(*problems[:1])
    project = Path(folder) / name
    words = _words(name)
    try:
        project.mkdir(parents=True)
        return [_write(project, path, template, words) for path, template in _FILES.items()]
    except FileExistsError as error:
        what = "exists already and is left as it is: choose another name or folder"
        raise InputError(Problem(str(project), what)) from error
    except OSError as error:
        raise InputError(Problem(str(project), f"cannot be written: {error.strerror}")) from error


def _faults(name: str) -> Iterator[str]:
    """Say what is wrong with a name, the plainest fault first."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        nearest = re.sub(r"[^a-z0-9]+", "_", _snake(name)).strip("_0123456789")
        hint = f" — did you mean '{nearest}'?" if nearest else ""
        yield f"a package's name has small letters, digits and _, such as my_maze{hint}"
    if len(name) > _LONGEST:
        yield f"has {len(name)} letters, more than {_LONGEST}: choose a shorter one"
    if keyword.iskeyword(name) or name in sys.stdlib_module_names:
        yield f"is Python's own: choose another, such as my_{name}"
    elif re.fullmatch(r"[a-z0-9_]+", name) and find_spec(name) is not None:
        yield f"is an installed package's already: choose another, such as my_{name}"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _words(name: str) -> dict[str, str]:
    world = "".join(word.capitalize() for word in name.split("_"))
    return {
        "package": name,
        "project": name.replace("_", "-").strip("-"),
        "World": world,
        "env_id": f"{name}/{world}-v0",
    }


def _write(project: Path, path: str, template: str, words: dict[str, str]) -> Path:
    target = project / _fill(path, words)
    target.parent.mkdir(parents=True, exist_ok=True)
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    with target.open("x", encoding="utf-8") as file:  # x: never over an existing file
        file.write(_fill(text, words))
    return target


def _fill(text: str, words: dict[str, str]) -> str:
    return re.sub(r"@(\w+)@", lambda match: words[match[1]], text)
