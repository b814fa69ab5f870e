"""Collects everything wrong with a scenario, each thing at its place in the file.

Pydantic's findings become sentences here: what is wrong, where it stands, what was meant.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agents.part_settings import SettingError
from envs.world_kit import settings
from sandbox.errors import InputError, Problem, did_you_mean, fault
from sandbox.scenario.strict_yaml import LARGEST, Document, Path

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LARGEST_SEED = 2**32 - 1
_MOST_NAMES, _MOST_LETTERS, _MOST_NEAR = 12, 60, 3  # that a message shows
_SHORTEST_WORD = 4  # letters; shorter ones say little about what is meant
_KINDS = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "none_required": "null",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_LENGTHS = {
    "too_short": ("at least", "min_length"),
    "too_long": ("at most", "max_length"),
    "string_too_short": ("at least", "min_length"),
    "string_too_long": ("at most", "max_length"),
}
_SHAPES: Mapping[Path, str] = {
    ("seeds",): "a count, a list of integers, or {first, count}",
    ("agent", "learner"): "a name or {name: settings}",
    ("agent", "editor"): "a name or {name: settings}",
    ("agent", "objective"): "{name: weight} or {name: {weight, settings}}",
    ("probes",): "a list of names or {name: settings}",
    ("controls",): "{name: intensity} or {name: settings}",
}


_RENAMED: Mapping[str, str] = {
    "expects": "claims",
    "return_reward": "mean_return",
    "hidden_reward": "hidden_return",
}
"""What scenarios of earlier versions say -> the name since."""


class Findings:
    """Problems of one document, in the order in which people read it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._found: list[tuple[tuple[int, int], Problem]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: Path, what: str, *, at_key: bool = False) -> None:
        """Note a problem; ``path`` may be deeper than what is written."""
        path = self._as_written(path)
        problem = self.document.problem(path, what, at_key=at_key)
        if problem not in [each for _, each in self._found]:
            self._found.append((self.document.order(path), problem))

    def unknown(self, path: Path, allowed: Iterable[str]) -> None:
        """Note an unknown key, with the nearest known one."""
        allowed, inside = list(allowed), dotted(self._as_written(path[:-1]))
        where = f" in {inside}" if inside else ""
        hint = _hint(str(path[-1]), allowed) or f"; there are {', '.join(allowed) or 'none'}"
        self.add(path, f"unknown key '{path[-1]}'{where}{hint}", at_key=True)

    def no_such(self, path: Path, kind: str, name: str, allowed: Iterable[str]) -> None:
        """Note a name that no part folder or registry holds; ``name`` may be a key or a value."""
        allowed = list(dict.fromkeys(allowed))
        hint = _hint(name, allowed)
        shown = ", ".join(allowed[:_MOST_NAMES]) + (", …" if len(allowed) > _MOST_NAMES else "")
        at_key = bool(path) and path[-1] == name and path in self.document.keys
        there = f"no {kind} is called {name[:80]!r}; there are {shown or 'none'}{hint}"
        self.add(path, there, at_key=at_key)

    def form(self, errors: Iterable["ErrorDetails"], keys: Mapping[Path, list[str]]) -> None:
        """Note what pydantic found in the whole; ``keys``: path without indices -> known keys."""
        for path, group in _by_place(errors).items():
            self._place(path, group, keys)

    def value(self, path: Path, errors: Iterable["ErrorDetails"]) -> None:
        """Note what pydantic found in one value at ``path``."""
        for inner, group in _by_place(errors).items():
            whole = (*path, *inner)
            self.add(whole, f"{dotted(whole)}: {sentence(group, whole)}")

    def stop(self) -> None:
        """Raise ``InputError`` with everything found so far, if anything was."""
        if self._found:
            raise InputError(*(each for _, each in sorted(self._found, key=lambda pair: pair[0])))

    def _place(
        self, path: Path, group: list["ErrorDetails"], keys: Mapping[Path, list[str]]
    ) -> None:
        if group[0]["type"] == "extra_forbidden":
            self.unknown(path, keys[_form_of(path[:-1])])
        elif group[0]["type"] == "missing":
            inside = f" in {dotted(self._as_written(path[:-1]))}" if len(path) > 1 else ""
            self.add(path[:-1], f"'{path[-1]}' is missing{inside}")
        else:
            self.add(path, f"{dotted(self._as_written(path))}: {sentence(group, path)}")

    def _as_written(self, path: Path) -> Path:
        """The path in the text: an author may leave out the list around one thing."""
        here, found = self.document.data, list[str | int]()
        for step in path:
            if isinstance(step, int) and isinstance(here, dict):
                continue
            found.append(step)
            try:
                here = here[step]
            except (LookupError, TypeError):
                break
        return tuple(found)


def _hint(name: str, allowed: Sequence[str]) -> str:
    """The new name of what was renamed; else the nearest of ``allowed``, spelt or worded alike."""
    if _RENAMED.get(name) in allowed:
        return f" — it is now called '{_RENAMED[name]}'"
    return did_you_mean(name, allowed) or _sharing_a_word(name, allowed)


def _sharing_a_word(name: str, allowed: Sequence[str]) -> str:
    """Names that have a word of four letters or more in common with it; at most three."""
    words = {each for each in re.split(r"[^a-z]+", name.lower()) if len(each) >= _SHORTEST_WORD}
    near = [each for each in allowed if words & set(each.lower().split("_"))][:_MOST_NEAR]
    return f" — did you mean {' or '.join(map(repr, near))}?" if near else ""


def problems_of(error: BaseException) -> Iterator[tuple[Path, str]]:
    """(path in the part's settings, words) of everything that a part refuses.

    An error of third-party code is text without a path: it is about the whole part.
    """
    if isinstance(error, SettingError):
        yield from ((each.path, str(each)) for each in error.problems)
    else:
        path = error.path if isinstance(error, settings.WorldSettingError) else ()
        yield path, fault(error)


def _form_of(path: Path) -> Path:
    """Without indices and the names that people give their arms."""
    if path[:1] == ("arms",):
        path = (path[0], *path[2:])
    return tuple(each for each in path if isinstance(each, str))


def dotted(path: Path) -> str:
    """``agent.learner.ppo.num_envs``, as ``--set`` takes it."""
    return ".".join(map(str, path))


def sentence(group: list["ErrorDetails"], path: Path = ()) -> str:
    """Say in one line what pydantic found at one place; several findings are alternatives."""
    first = next((each for each in group if each["type"] not in _KINDS), group[0])
    got = f" (got {_shown(first['input'])})"
    if _KINDS.get(first["type"]) == "an integer":
        got += _as_integer(first["input"])
    if path[:1] == ("seeds",) and len(path) > 1:
        return f"must be an integer 0..{LARGEST_SEED}{got}"
    if first["type"] in _KINDS:
        kinds = " or ".join(dict.fromkeys(_KINDS[each["type"]] for each in group))
        return f"must be {_shape(path) or kinds}{got}"
    if first["type"] in _BOUNDS:
        words, key = _BOUNDS[first["type"]]
        return f"must be {words} {first['ctx'][key]}{got}"
    if first["type"] in _LENGTHS:
        words, key = _LENGTHS[first["type"]]
        return f"must have {words} {first['ctx'][key]} (has {len(first['input'])})"
    return _special(first, got)


def _shape(path: Path) -> str:
    """What may stand at a place that has short forms."""
    if path[:2] == ("agent", "objective") and len(path) == len(("agent", "objective", "rnd")):
        return "a number, its weight, or {weight, settings}"
    if path[-2:-1] == ("controls",):
        return "a number, its intensity, or {settings}"
    if path[:1] == ("arms",) and len(path) == len(("arms", "bold", "editor")):
        path = ("agent", path[-1])
    return _SHAPES.get(path, "")


def _as_integer(value: Any) -> str:
    """Say how to write what is meant: ``1e5`` is no integer, neither is ``1_00``."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST:
        return f"; write {int(value):_}"
    if isinstance(value, str) and re.fullmatch(r"[-+]?[1-9][0-9]{0,17}([_,][0-9]{1,3})*", value):
        return f"; write {int(re.sub('[_,]', '', value)):_}"
    return ""


def _special(error: "ErrorDetails", got: str) -> str:
    if error["type"] == "literal_error":
        return _choice(error, got)
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "string_pattern_mismatch":
        return f"must match {error['ctx']['pattern'].strip('^$')}{got}"
    return error["msg"][:1].lower() + error["msg"][1:] + got


def _choice(error: "ErrorDetails", got: str) -> str:
    wanted = error["ctx"]["expected"]
    names = [each.strip("'") for each in wanted.replace(" or ", ", ").split(", ")]
    hint = did_you_mean(error["input"], names) if isinstance(error["input"], str) else ""
    return f"must be {wanted}{got}{hint}"


def _shown(value: Any) -> str:
    text = f"'{value}'" if isinstance(value, str) else str(value)
    text = {"True": "true", "False": "false", "None": "nothing"}.get(text, text)
    return text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 3] + "..."


def _by_place(errors: Iterable["ErrorDetails"]) -> Mapping[Path, list["ErrorDetails"]]:
    """Group by place; what pydantic adds to a place for the branch of a union is left out."""
    found: dict[Path, list[ErrorDetails]] = {}
    for error in errors:
        path = tuple(each for each in error["loc"] if not _is_branch(each))
        found.setdefault(path, []).append(error)
    return found


def _is_branch(step: str | int) -> bool:
    words = {"int", "float", "str", "bool", "none", "list", "dict", "tuple"}
    return isinstance(step, str) and (step in words or "[" in step)
