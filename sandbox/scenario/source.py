"""Finds a scenario's file and applies what the command line changes in it."""

import os
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any

from sandbox.errors import InputError, Problem, did_you_mean
from sandbox.scenario.strict_yaml import Document, Path, parse, read


def shipped() -> dict[str, FilePath]:
    """Name -> file of every scenario that comes with the program."""
    home = FilePath(__file__).resolve().parents[1]
    # A checkout and an editable install have them beside the packages, a wheel inside this one.
    folders = [home.parent / "scenarios", home / "scenarios"]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}


def locate(given: str | FilePath) -> FilePath:
    """A file, or the name of a shipped scenario. Raises ``InputError`` with a suggestion."""
    text = str(given)
    path = FilePath(text)
    if text in shipped() and not path.is_file():
        return shipped()[text]
    if text not in {"", "-", "."} and os.path.lexists(text):
        return path
    near = [each.name for each in _beside(path)]
    hint = did_you_mean(text, [*shipped()]) or did_you_mean(path.name, near)
    names = ", ".join(shipped()) or "none"
    raise InputError(
        Problem("", f"no scenario {text[:200]!r}: no such file, and shipped are {names}{hint}")
    )


def document(path: FilePath, overrides: Sequence[str], seeds: int | None) -> Document:
    """Read a file and apply ``--set`` and ``--seeds``. Raises ``InputError``."""
    found = read(str(path))
    problems: list[Problem] = []
    for text in overrides:
        try:
            found = _override(found, text)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    if seeds is not None:
        mine = _so_many(found.data.get("seeds"), seeds)
        found = found.patched(("seeds",), {**found.data, "seeds": mine}, f"--seeds {seeds}")
    return found


def _so_many(written: Any, count: int) -> Any:
    """The first ``count`` of the seeds that a file has; beyond them, those after its largest."""
    from sandbox.scenario.form import DEFAULT_SEEDS, as_seeds  # noqa: PLC0415  (pydantic)

    try:
        own = DEFAULT_SEEDS if written is None else as_seeds(written)
        largest = max(own)
    except (TypeError, ValueError):
        return written  # reported by the form
    return [*own[:count], *range(largest + 1, largest + 1 + count - len(own))]


def _override(found: Document, text: str) -> Document:
    option = f"--set {text}"
    key, sign, value = text.partition("=")
    if not sign or not key.strip("."):
        raise InputError(Problem(option, "must be KEY=VALUE, as in agent.learner.ppo.num_envs=16"))
    words = key.split(".")
    try:
        new = parse(value, option).data
    except InputError as error:
        raise InputError(*(Problem(option, each.what) for each in error.problems)) from None
    data, path = _with(found.data, words, new, option)
    return found.patched(path, data, option)


def _with(here: Any, words: Sequence[str], value: Any, option: str) -> tuple[Any, Path]:
    """A copy of ``here`` with ``value`` at the path ``words``, and that path with its indices."""
    if not words:
        return value, ()
    word, rest = words[0], words[1:]
    if isinstance(here, list):
        return _with_item(here, words, value, option)
    if here is None:
        here = {}
    elif here == word and rest:  # `learner: ppo` stands for `learner: {ppo: {}}`
        here = {word: {}}
    if not isinstance(here, dict) or not word:
        what = f"'{word}' cannot be set: there is no mapping, but {str(here)[:60]!r}"
        raise InputError(Problem(option, what))
    inner, path = _with(here.get(word), rest, value, option)
    return {**here, word: inner}, (word, *path)


def _with_item(
    here: list[Any], words: Sequence[str], value: Any, option: str
) -> tuple[list[Any], Path]:
    word, rest = words[0], words[1:]
    if not (word.isascii() and word.isdigit() and int(word[:9]) < len(here)):
        what = f"'{word}' is no item of this list; it has 0 to {len(here) - 1}"
        raise InputError(Problem(option, what))
    place = int(word)
    inner, path = _with(here[place], rest, value, option)
    return [*here[:place], inner, *here[place + 1 :]], (place, *path)


def _beside(path: FilePath) -> list[FilePath]:
    try:
        return list(path.parent.glob("*.yaml"))[:200]
    except (OSError, ValueError, NotImplementedError):
        return []
