"""Where two JSON values differ, and which paths into one meet."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

Path = tuple[str, ...]
"""Names of mappings, from the outside in."""


class Missing:
    """What stands where there is no value at all; ``None`` is one."""

    def __str__(self) -> str:
        return "nothing"


MISSING: Final = Missing()


class Difference(NamedTuple):
    """One place, and what is there in each of the two."""

    path: Path
    before: Any
    after: Any


def differences(before: Any, after: Any, path: Path = ()) -> Iterator[Difference]:
    """Every place at which two values differ, as near to the leaves as both have mappings.

    Names come in the order of ``before``, then what only ``after`` has; a list is one value.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            was, now = before.get(key, MISSING), after.get(key, MISSING)
            yield from differences(was, now, (*path, key))
    elif before != after:
        yield Difference(path, before, after)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is no mapping, or an empty one, with its path."""
    if isinstance(value, Mapping) and value:
        for key in value:
            yield from leaves(value[key], (*path, key))
    else:
        yield path, value


def meet(one: Path, other: Path) -> bool:
    """Is one of two paths the other, or something in it?"""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
