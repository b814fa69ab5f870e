"""Settings of a world, checked in one line: of the right kind, finite, and within their limits.

A setting has the type of its default, so a flag or a text is no number. A setting whose
default is ``None`` takes that or what its annotation allows.
"""

import math
from collections.abc import Sequence
from dataclasses import Field, fields
from numbers import Integral, Real
from typing import Any, get_args

LONGEST = 10_000
"""Steps in the longest horizon that can be asked for; exact planning looks at each."""
Limits = Sequence[Any] | None
"""Least and greatest number (``None``: no end), or the texts there are."""


class WorldSettingError(ValueError):
    """A world or a control refuses a setting; ``path``: its name."""

    def __init__(self, what: str, *path: str | int) -> None:
        super().__init__(what)
        self.path = path


def check(world: Any, **limits: Sequence[Any]) -> None:
    """Look at every field of a dataclass. Raises ``WorldSettingError`` with one line, by name."""
    for each in fields(world):
        value = getattr(world, each.name)
        if value is None and each.default is None:
            continue
        wanted = _wanted(each, value, limits.get(each.name))
        if wanted is not None:
            raise WorldSettingError(f"{each.name} must be {wanted}, not {value!r}", each.name)


def _wanted(each: "Field[Any]", value: Any, limits: Limits) -> str | None:
    """What the setting should have been, or ``None`` where it is."""
    kind = _kind(each)
    if kind is bool:
        return None if isinstance(value, bool) else "true or false"
    if kind is str:
        good = isinstance(value, str) and (limits is None or value in limits)
        return None if good else f"one of {', '.join(limits)}" if limits else "text"
    number = isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    if not number or not math.isfinite(value):
        return "a whole number" if kind is int else "a number"
    return _between(value, *(limits or (None, None)))


def _kind(each: "Field[Any]") -> type:
    """Kind of the default; where that is ``None``, the kind besides it in the annotation."""
    if each.default is not None:
        return type(each.default)
    found: type = next(kind for kind in get_args(each.type) if kind is not type(None))
    return found


def _between(value: float, least: float | None, most: float | None) -> str | None:
    if (least is None or value >= least) and (most is None or value <= most):
        return None
    return f"at least {least}" if most is None else f"from {least} to {most}"
